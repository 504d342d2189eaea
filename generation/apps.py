"""The room as Django knows it."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from generation.request_rules import claim_function


class GenerationConfig(AppConfig):
    """Connects the room to what the others tell."""

    name = "generation"
    verbose_name = "Generation"

    def ready(self) -> None:
        from generation import receivers  # models: they load once every application is known

        receivers.connect()
        post_migrate.connect(_make_claim, sender=self)


def _make_claim(using: str, **said: Any) -> None:
    """Make the claim's function anew; a flush of the tables says no plan and needs none."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.generation_leaseterm') IS NOT NULL")
        if "plan" in said and cursor.fetchone() == (True,):
            cursor.execute(claim_function.SQL)
