"""`manage.py plan_memory MODEL`: what a model will take of its hardware's memory."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from adapters.access import visibility
from adapters.models import Tier
from config.core.errors import ProofsheetError
from generation.engine.loading.memory_need import gib
from generation.hardware import memory_plans


class Command(BaseCommand):
    help = (
        "Tell what a registered model will take of a tier's memory, without loading it. "
        "Ends with 1 when it does not fit; the smaller variant is named where there is one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="its slug")
        parser.add_argument("--tier", choices=Tier.values, help="default: the model's own")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = visibility.find_model(options["model"])
            verdict = memory_plans.judge_tier(model, options["tier"] or model.tier)
        except ProofsheetError as error:
            raise CommandError(f"{error.code}: {error}") from error
        self.stdout.write(f"{model.name} needs {verdict.plan}.")
        self.stdout.write(f"The device has {gib(verdict.budget_bytes)} to give.")
        if not verdict.fits:
            raise CommandError(f"It does not fit. {verdict.advice}")
        self.stdout.write("It fits.")
