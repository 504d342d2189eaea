"""`manage.py erase_assets ID…`: erase what is kept about these pictures; the log stays whole."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.core.holds.asking import UnderHold
from provenance.assets import erasure


class Command(BaseCommand):
    help = "Erase records with their salts and fingerprints, and write a tombstone for each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("asset_ids", nargs="+", type=UUID, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = set(options["asset_ids"])
        try:
            erased = erasure.erase(wanted, at=timezone.now())
        except UnderHold as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Erased {erased} of {len(wanted)} records; the files are not kept here.")
