"""The provenance room as Django's application."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from config.core.watching import house_gauges
from provenance.database import privileges


class ProvenanceConfig(AppConfig):
    """Makes the triggers that hold the evidence anew after every migration."""

    name = "provenance"
    verbose_name = "Provenance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from provenance.log import log_metrics  # the models, which are loaded by now

        house_gauges.register(log_metrics.families)
        post_migrate.connect(_hold_evidence, sender=self)


def _hold_evidence(using: str, **said: Any) -> None:
    """Make the triggers of every table anew; a flush of the tables says no plan and needs none."""
    if "plan" not in said:
        return
    with connections[using].cursor() as cursor:
        for statement in privileges.triggers():
            cursor.execute(statement)
