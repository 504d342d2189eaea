"""Tasks that wait, each a row from the transaction that asked for it until it is done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models


class OutboxRow(models.Model):
    """A task by its name with ids as its arguments. It is deleted when it is done.

    `due_at` moves ahead when somebody takes it, so that it comes back by itself if they die;
    `attempts` counts up with it and is the fencing token.
    """

    task = models.CharField(max_length=120)
    arguments = models.JSONField()
    written_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(
        max_length=120, blank=True, help_text="The kind of error of the last attempt."
    )
    gave_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "task in the outbox"
        verbose_name_plural = "tasks in the outbox"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(gave_up_at__isnull=True),
                name="outbox_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} ({self.id})"

    def take(self, *, until: datetime) -> None:
        self.attempts += 1
        self.due_at = until
        self.save(update_fields=["attempts", "due_at"])

    def put_off(self, delay: timedelta, *, problem: str, at: datetime) -> None:
        self.problem, self.due_at = problem, at + delay
        self.save(update_fields=["problem", "due_at"])

    def give_up(self, *, problem: str, at: datetime) -> None:
        self.problem, self.gave_up_at = problem, at
        self.save(update_fields=["problem", "gave_up_at"])
