"""`manage.py verify_restore DIR`: whether a restored house is the one of the backup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups import restored_house
from config.core.errors import ProofsheetError


class Command(BaseCommand):
    help = (
        "Compare this house with the backup that it came from: the SHA-256 of every file, rows of "
        "tables that only grow, the log from the backup's checkpoint and against its witnesses, "
        "and whether the keys signed it. Exit status 1 where something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        try:
            for fault in restored_house.faults(options["folder"], say=self._say):
                found += 1
                self.stderr.write(fault)
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        if found:
            sys.exit(1)
        self.stdout.write("This is the house of the backup.")

    def _say(self, part: str) -> None:
        self.stdout.write(f"· {part}")
