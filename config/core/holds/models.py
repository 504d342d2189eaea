"""Holds as rows: placed once, ended once, never taken back."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q


class HeldKind(models.TextChoices):
    """What is held: all of somebody's, or one thing alone."""

    ACCOUNT = "account"
    PROJECT = "project"
    END_USER = "end_user"
    THING = "thing"


class LegalHold(models.Model):
    """`subject` is the account's number or the UUID of anything else: a project, an end user, a
    request, a picture, an adapter, a report. Without `until` it holds until somebody ends it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=HeldKind.choices)
    subject = models.CharField(max_length=36)
    reason = models.CharField(max_length=300, help_text="Who asked for it, and their reference.")
    until = models.DateTimeField(null=True, blank=True)
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["kind"], condition=Q(ended_at=None), name="holds_that_stand")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
