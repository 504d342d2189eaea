"""Write the decision log of a period for compliance."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from moderation import decision_log, exports
from moderation.management import export_command
from provenance.errors import ProofsheetError


class Command(BaseCommand):
    help = "Write the decisions and appeals of a period as CSV and JSON lines, with SHA256SUMS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        export_command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            period = exports.Period(options["first"], options["last"])
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        written = export_command.write(options["out"], decision_log.files(period))
        self.stdout.write(f"{len(written)} files in {options['out']}")
