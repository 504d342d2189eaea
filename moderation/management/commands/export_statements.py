"""Statements of reasons of a period in the field names of the EU Transparency Database."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.core.errors import ProofsheetError
from config.core.exports import export_command
from moderation.exports import transparency_files
from moderation.statements.formats import eu_statement


class Command(BaseCommand):
    help = (
        "Write the period's statements of reasons, validated, in batches of 100 for the EU "
        "Transparency Database's bulk call, with SHA256SUMS."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        export_command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            period = transparency_files.Period(
                options["first"], options["last"], options["project"]
            )
            written = export_command.write(
                options["out"], transparency_files.statement_files(period)
            )
        except (ProofsheetError, eu_statement.StatementInvalid) as error:
            raise CommandError(str(error)) from error
        noun = "batch" if len(written) == 1 else "batches"
        self.stdout.write(f"{len(written)} {noun} in {options['out']}, with SHA256SUMS")
