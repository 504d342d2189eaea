"""What the policy in force and the banks make of pictures; nothing is stored."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.core.errors import ProofsheetError
from moderation.management.in_force import settle_policies
from moderation.screening import classify

MAX_FILE_BYTES = 64 * 1024 * 1024


class Command(BaseCommand):
    help = "Screen pictures under the policy in force. Stores nothing; exits 0 for any verdict."
    requires_system_checks: list[str] = []  # it works without a database too

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--profile", default="general", help="audience profile")
        parser.add_argument("--json", action="store_true", help="one JSON object a picture")

    def handle(self, *args: Any, **options: Any) -> None:
        has_banks = settle_policies(self.stderr)
        judge = classify.judge_known_image if has_banks else classify.judge_image
        for path in options["files"]:
            try:
                judged = judge(_read(path), profile=options["profile"])
            except ProofsheetError as error:
                raise CommandError(f"{path}: {error}") from error
            self.stdout.write(_json(path, judged) if options["json"] else _sentence(path, judged))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CommandError(f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB.")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _json(path: Path, judged: classify.Judgement) -> str:
    return json.dumps(
        {
            "file": str(path),
            "verdict": judged.verdict,
            "categories": judged.categories,
            "matched": [],
            "policy_version": judged.policy.version,
        },
        ensure_ascii=False,
    )


def _sentence(path: Path, judged: classify.Judgement) -> str:
    scores = ", ".join(f"{name} {score:.2f}" for name, score in judged.categories.items())
    return f"{path}: {judged.verdict}  ({scores}; policy {judged.policy.version})"
