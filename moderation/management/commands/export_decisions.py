"""Write the decision log of a period for compliance."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.core.errors import ProofsheetError
from config.core.exports import export_command
from moderation.exports import decision_log, transparency_files


class Command(BaseCommand):
    help = "Write the decisions and appeals of a period as CSV and JSON lines, with SHA256SUMS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        export_command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            period = transparency_files.Period(
                options["first"], options["last"], options["project"]
            )
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        written = export_command.write(options["out"], decision_log.files(period))
        self.stdout.write(f"{len(written)} files in {options['out']}")
