"""Verdicts of classifiers and rules."""

from uuid import uuid4

from django.db import models

from moderation.models.conditions import SubjectKind
from moderation.models.policies import Policy


class Screening(models.Model):
    """One verdict of the classifiers and rules on one prompt or picture. Holds digests, never the
    text.
    """

    class Verdict(models.TextChoices):
        ALLOW = "allow", "Allow"
        HOLD = "hold", "Hold"
        REFUSE = "refuse", "Refuse"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    stage = models.CharField(max_length=8, choices=SubjectKind.choices)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT)
    profile = models.CharField(max_length=32)
    overlay = models.CharField(max_length=64, blank=True, default="", db_default="")
    classifier = models.CharField(max_length=64)
    cache_key = models.CharField(max_length=64)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    learned = models.JSONField()
    categories = models.JSONField()
    matched = models.JSONField(default=list)
    is_from_cache = models.BooleanField(default=False)
    screened_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["cache_key", "-screened_at"], name="screening_cache_key")]

    def __str__(self) -> str:
        return f"{self.stage} {self.verdict}"
