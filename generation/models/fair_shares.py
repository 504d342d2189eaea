"""Rows behind fairness: whose turn it is in each priority class, and what one user may use."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class FairQueueRing(models.Model):
    """The ring of `deficit_round_robin` for one priority; its lock puts claims in a row."""

    priority = models.SmallIntegerField(primary_key=True)
    turn = models.IntegerField(null=True, help_text="Id of the user whose turn it is.")
    accounts = models.JSONField(default=dict, help_text="Milliseconds by user id.")

    class Meta:
        db_table = "generation_rota"  # its first name; the table stays where it is

    def __str__(self) -> str:
        return f"ring {self.priority}"


class Allowance(models.Model):
    """What one user may use where it differs from the usual; an empty field means the usual."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="allowance"
    )
    images_a_day = models.PositiveIntegerField(null=True, blank=True)
    device_seconds_a_day = models.PositiveIntegerField(null=True, blank=True)
    in_flight = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(in_flight__isnull=True) | Q(in_flight__gt=0),
                name="generation_allowance_lets_one_through",
            ),
        ]

    def __str__(self) -> str:
        return f"allowance of {self.user_id}"
