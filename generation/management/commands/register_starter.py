"""Registers the starter model and the style adapters that ship with the project."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.core.errors import ProofsheetError
from generation.management import builtin_models


class Command(BaseCommand):
    help = "Register the starter model and its style adapters; running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = builtin_models.register(at=timezone.now())
        except ProofsheetError as error:
            raise CommandError(f"{error.message} {error.advice}") from error
        if options["verbosity"] == 0:
            return
        self.stdout.write(f"{done.model.slug}  {done.model.name}, digest {done.model.digest[:12]}")
        for adapter in done.adapters:
            note = "registered" if adapter.slug in done.renewed else "unchanged"
            self.stdout.write(f"  {adapter.slug}  rank {adapter.rank}, {adapter.state}, {note}")
