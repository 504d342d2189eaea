"""What the policy in force makes of a prompt, or of a file of prompts; nothing is stored."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.core.errors import ProofsheetError
from moderation.management.in_force import settle_policies
from moderation.screening import classify

MAX_FILE_BYTES = 64 * 1024 * 1024


class Command(BaseCommand):
    help = (
        "Screen a prompt, or with --file one prompt a line, under the policy in force. Stores "
        "nothing. Exits 0 for any verdict."
    )
    requires_system_checks: list[str] = []  # it works without a database too

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", nargs="?", metavar="TEXT")
        parser.add_argument("--file", type=Path, help="a UTF-8 file with one prompt a line")
        parser.add_argument("--profile", default="general", help="audience profile")
        parser.add_argument("--json", action="store_true", help="one JSON object a prompt")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["text"] is None) == (options["file"] is None):
            raise CommandError("Give either a text or --file, not both.")
        settle_policies(self.stderr)
        prompts = [options["text"]] if options["file"] is None else _lines(options["file"])
        for text in prompts:
            try:
                judged = classify.judge_prompt(text, profile=options["profile"])
            except ProofsheetError as error:
                raise CommandError(str(error)) from error
            is_json = options["json"] or options["file"] is not None
            self.stdout.write(_json(judged) if is_json else _sentence(text, judged))


def _lines(path: Path) -> Iterable[str]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CommandError(f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB.")
        with path.open(encoding="utf-8") as file:
            yield from (line.rstrip("\r\n") for line in file)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text.") from error


def _json(judged: classify.Judgement) -> str:
    return json.dumps(
        {
            "verdict": judged.verdict,
            "categories": judged.categories,
            "matched": judged.matched,
            "policy_version": judged.policy.version,
        },
        ensure_ascii=False,
    )


def _sentence(text: str, judged: classify.Judgement) -> str:
    scores = sorted(judged.categories.items(), key=lambda item: -item[1])[:3]
    lines = [f"{judged.verdict}  (policy {judged.policy.version})"]
    lines += [f"  {score:5.2f}  {name}" for name, score in scores]
    lines += [f"  “{text[start:end]}”  {rule}" for start, end, rule in judged.matched]
    return "\n".join(lines)
