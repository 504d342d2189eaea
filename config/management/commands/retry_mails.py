"""`manage.py retry_mails`: try again what the outbox gave up."""

from typing import Any

from django.core.management.base import BaseCommand

from config.core import clock
from config.core.outbox import draining


class Command(BaseCommand):
    """Once the mail server is back after days: what was given up goes out."""

    help = "Try again the mails that failed for two days and were kept."

    def handle(self, **_: Any) -> None:
        count = draining.try_again(at=clock.now())
        self.stdout.write(f"{count} of them go out with the next look, in a few seconds.")
