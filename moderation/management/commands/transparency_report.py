"""The transparency report of a period, in the indicators of the EU template."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.core.errors import ProofsheetError
from config.core.exports import export_command
from moderation.exports import transparency_files


class Command(BaseCommand):
    help = "Write the period's transparency report as JSON and CSV, with SHA256SUMS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        export_command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            period = transparency_files.Period(
                options["first"], options["last"], options["project"]
            )
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        export_command.write(options["out"], transparency_files.report_files(period))
        self.stdout.write(f"Report in {options['out']}, with SHA256SUMS")
