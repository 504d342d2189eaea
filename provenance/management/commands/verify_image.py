"""`manage.py verify_image FILE [--json]`: exit 0 ours, 1 not ours or inconclusive, 2 unreadable."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from config.core.errors import ProofsheetError
from provenance.verify import examination
from provenance.verify.verdicts import VerifyReport

OURS, NOT_OURS, UNREADABLE = 0, 1, 2


class Command(BaseCommand):
    help = "Say whether this installation made a picture: five verdicts, each for itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            help="a PNG, JPEG, WebP, AVIF or HEIC picture, or what has Content Credentials",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = examination.check(options["file"].read_bytes(), at=timezone.now())
        except ProofsheetError as error:
            self.stderr.write(str(error))
            sys.exit(UNREADABLE)
        except OSError as error:
            self.stderr.write(f"{options['file']} cannot be read: {error.strerror}.")
            sys.exit(UNREADABLE)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
        else:
            self._print(report)
        sys.exit(OURS if report.is_ours else NOT_OURS)

    def _print(self, report: VerifyReport) -> None:
        self.stdout.write(report.headline)
        for name in ("manifest", "signer", "log", "watermark", "fingerprint"):
            check = getattr(report, name)
            self.stdout.write(f"  {name:<12} {check.verdict:<16} {check.sentence}")
        for sentence in report.disagreements:
            self.stdout.write(f"  disagrees    {sentence}")
        for name, value in report.metadata.items():
            self.stdout.write(f"  metadata     {name} {value}")
        for note in report.notes:
            self.stdout.write(f"  note         {note}")
        if report.disclosure:
            told = report.disclosure
            self.stdout.write(
                f"  {told.created_or_altered} {told.created_at} by {told.system} {told.version} "
                f"({told.provider}), id {told.id}"
            )
