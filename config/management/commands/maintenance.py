"""`manage.py maintenance on`: turn everybody away, and draw nothing more."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.core import clock
from generation.models import GenerationRequest, RequestStatus
from generation.requests import maintenance

LOOK_EVERY_S = 1.0


class Command(BaseCommand):
    help = (
        "Close the house, on all its hosts and within seconds: pages and API answer 503 with when "
        "to come back, and workers finish what they draw and take nothing more. What waits in line "
        "stays there. `off` opens it again; with neither, tell how it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("switch", nargs="?", choices=("on", "off"))
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS",
            help="with `on`: until nothing is drawn any more; exit status 1 where it still is",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        if options["switch"] == "on":
            maintenance.begin(at=clock.now())
        elif options["switch"] == "off":
            maintenance.end()
        left = self._left(options["wait"] if options["switch"] == "on" else 0)
        state = "closed" if maintenance.is_on() else "open"
        self.stdout.write(f"The house is {state}; {left} requests are being drawn.")
        if options["wait"] and left:
            raise CommandError(f"{left} requests are still being drawn: wait, or stop the workers.")

    def _left(self, patience_s: float) -> int:
        if patience_s:
            time.sleep(settings.PROOFSHEET_REMEMBER_S)  # until then workers take it for open
        deadline = time.monotonic() + patience_s
        while True:
            left = GenerationRequest.objects.filter(status=RequestStatus.RUNNING).count()
            if not left or time.monotonic() >= deadline:
                return left
            time.sleep(LOOK_EVERY_S)
