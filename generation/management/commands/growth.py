"""`manage.py growth`: what the database holds for each picture, and in a year of so many a day."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation.capacity import growth


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of 1 or more.")
    return int(text)


class Command(BaseCommand):
    help = (
        "Tell how many megabytes the database takes for 1,000 pictures, table by table, as they "
        "lie on the disk, and what a year of --images-a-day comes to. Files are not in it, and a "
        f"house with fewer than {growth.TELLING:,} pictures is refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--images-a-day", type=_count, default=100_000, metavar="N")
        parser.add_argument("--tables", type=_count, default=10, metavar="N", help="default: 10")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            now = growth.look()
        except growth.TooFewImages as error:
            raise CommandError(f"{error.message} {error.advice}") from error
        for table in now.tables[: options["tables"]]:
            self.stdout.write(f"{table.mb_per_1000_images:10.2f} MB  {table.table}")
        self.stdout.write(
            f"{now.mb_per_1000_images:10.2f} MB  for 1,000 pictures, of {now.images:,} pictures"
        )
        a_day = options["images_a_day"]
        in_a_year_gb = now.mb_per_1000_images / 1000 * a_day * 365 / 1000
        self.stdout.write(f"{in_a_year_gb:10.0f} GB  in a year of {a_day:,} a day")
