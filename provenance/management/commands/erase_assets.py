"""`manage.py erase_assets ID…`: erase what is kept about these pictures; the log stays whole."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from provenance.assets import erasure


class Command(BaseCommand):
    help = "Erase records with their salts and fingerprints, and write a tombstone for each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("asset_ids", nargs="+", type=UUID, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = set(options["asset_ids"])
        erased = erasure.erase(wanted, at=timezone.now())
        self.stdout.write(f"Erased {erased} of {len(wanted)} records; the files are not kept here.")
