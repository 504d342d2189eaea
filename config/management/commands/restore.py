"""`manage.py restore DIR`: the house of a backup, where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups import key_locks, restoring
from config.core.errors import ProofsheetError


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty database, an empty storage and an empty keys folder; what "
        "is there already is never touched. A run that was cut off goes on when it is run again."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--keys", metavar="FILE", type=Path, help="default: DIR.keys")
        opener = parser.add_mutually_exclusive_group()
        key_locks.add_passphrase(opener)
        opener.add_argument(
            "--identity", metavar="FILE", type=Path, help="the recipient's private key (PEM)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"].absolute()
        try:
            opened_by = key_locks.opener_of(options)
            path = options["keys"] or Path(f"{folder}.keys")
            done = restoring.restore(
                folder, keys=(path, opened_by) if opened_by else None, say=self._say
            )
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"The house of {done.made_at} is back. Run `manage.py verify_restore {folder}` before "
            "anybody comes."
        )

    def _say(self, part: str) -> None:
        self.stdout.write(f"· {part}")
