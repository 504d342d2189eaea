"""`manage.py run_audit SUITE`: render and screen a counterfactual suite, then report."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.core.errors import ProofsheetError
from generation.suite_runs import suite_rendering
from moderation.audits.models import Audit
from moderation.audits.suites import counterfactuals
from moderation.audits.tables import audit_report as reports

BAR = 30


class Command(BaseCommand):
    help = (
        "Render a counterfactual suite through the engine, screen prompts and pictures with the "
        "policy in force, and freeze a report. Cut off, it goes on where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "suite",
            metavar="SUITE",
            help=f"{', '.join(counterfactuals.names())}, or a YAML or JSON file",
        )
        parser.add_argument("--model", metavar="NAME", help="default: the default model")
        parser.add_argument("--seeds", type=int, default=3, metavar="N", help="default: 3")
        parser.add_argument(
            "--profile", default="general", metavar="NAME", help="audience profile (general)"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        is_shown = not options["json"] and options["verbosity"] > 0
        try:
            run = suite_rendering.start_or_resume(
                counterfactuals.load(options["suite"]),
                model=suite_rendering.find_model(options["model"]),
                seeds=options["seeds"],
                profile=options["profile"],
                at=timezone.now(),
            )
            look = self._look if is_shown else _quiet
            look(suite_rendering.progress(run))
            suite_rendering.carry_on(run, now=timezone.now, sleep=time.sleep, look=look)
            audit = suite_rendering.conclude(run, at=timezone.now())
        except KeyboardInterrupt:
            raise CommandError("Stopped; the same command goes on from here.") from None
        except ProofsheetError as error:
            if options["json"]:
                said = {"code": error.code, "message": error.message, "advice": error.advice}
                self.stdout.write(json.dumps(said))
                sys.exit(1)
            raise CommandError(f"{error.code}: {error}") from error
        self._tell(audit, is_json=options["json"])

    def _look(self, progress: suite_rendering.RunProgress) -> None:
        filled = BAR * progress.done // max(progress.total, 1)
        bar = "█" * filled + "·" * (BAR - filled)
        end = "\n" if progress.done == progress.total else ""
        self.stderr.write(f"\r{bar} {progress.done} of {progress.total}", ending=end)
        self.stderr.flush()

    def _tell(self, audit: Audit, *, is_json: bool) -> None:
        if is_json:
            answer = {"audit": str(audit.id), "digests": audit.digests}
            self.stdout.write(json.dumps(answer | {"report": json.loads(audit.document)}))
            return
        for finding in reports.decode(audit.document).findings:
            self.stdout.write(f"· {finding.sentence}")
        self.stdout.write(f"Audit {audit.id}: manage.py export_audit {audit.id} --out DIR")


def _quiet(progress: suite_rendering.RunProgress) -> None:
    """Nothing is shown while the answer is JSON."""
