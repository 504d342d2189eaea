"""What the house keeps of accounts beside Django's own tables."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class ApiKey(models.Model):
    """A key that lets a program act for its owner, within its scopes and until its end.

    The key itself is nowhere: `digest` is its SHA-256, `hint` its first characters.
    """

    class Scope(models.TextChoices):
        READ = "read", "See what is yours: requests, images, adapters, statements, appeals"
        GENERATE = "generate", "Ask for images, change and delete what is yours, appeal, report"
        VERIFY = "verify", "Verify files under a limit of your own"
        REVIEW = "review", "Work at the review desk and hear appeals"
        EXPORT = "export", "Audits and their reports"
        OPERATE = "operate", "Read the metrics"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys", editable=False
    )
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=16)
    scopes = models.JSONField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    scopes__contained_by=[
                        "read", "generate", "verify", "review", "export", "operate",
                    ]
                ),
                name="house_key_scopes_known",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
