"""`manage.py export_audit ID --out DIR`: the files of an audit, checked against their digests."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from config.core.errors import ProofsheetError
from config.core.exports import export_command
from moderation.audits.audit_reports import freeze, report_decisions


class Command(BaseCommand):
    help = (
        "Write an audit's report as JSON, CSV and PDF with its figures, what was decided on it, "
        "and SHA256SUMS."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("audit", metavar="ID", help="the audit's id, as its page shows it")
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            audit = freeze.find(UUID(options["audit"]))
            files = freeze.files_of(audit) | report_decisions.files_of(audit)
        except ValueError:
            raise CommandError(f"“{options['audit']}” is not the id of an audit.") from None
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        export_command.write(options["out"], sorted(files.items()))
        self.stdout.write(f"{len(files)} files in {options['out']}, with SHA256SUMS")
