"""`manage.py retention`: what is kept for how long, and what would go now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.core import clock, retention


class Command(BaseCommand):
    help = (
        "End what is over now, as the clock does every hour, and say how many of what went. With "
        "--dry-run nothing goes: it tells what is kept for how long, who may say otherwise, and "
        "how many would go. What is held stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if not options["dry_run"]:
            for datum, count in retention.forget_all(at=now).items():
                self.stdout.write(f"{count:8,} went: {datum}")
            return
        for each in retention.table():
            by = f"; {each.set_by}" if each.set_by else ""
            self.stdout.write(f"{each.due(at=now):8,} would go: {each.datum} ({each.kept}{by})")
