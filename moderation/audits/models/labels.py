"""What reviewers say of what was drawn; never changed, and triggers repeat that."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models

from config.core.transitions import WrittenOnce
from moderation.audits.models.frame import FrameEntry
from moderation.models import Perceived


class Label(WrittenOnce):
    """What one reviewer says that a sampled item is, with everything that its use needs."""

    class Truth(models.TextChoices):
        ACCEPTABLE = "acceptable", "Within the policy"
        VIOLATES = "violates", "Breaks the policy"
        UNCLEAR = "unclear", "Unclear"

    entry = models.ForeignKey(FrameEntry, on_delete=models.PROTECT, related_name="labels")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    truth = models.CharField(max_length=16, choices=Truth.choices)
    is_blind = models.BooleanField()
    policy_version = models.CharField(max_length=64)
    model_version = models.CharField(max_length=64)
    threshold = models.FloatField()
    score = models.FloatField()
    sampling_stratum = models.CharField(max_length=64)
    inclusion_probability = models.FloatField()
    labelled_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "reviewer"], name="audits_one_label_a_person")
        ]

    def __str__(self) -> str:
        return f"label {self.truth}"


class Presentation(WrittenOnce):
    """Perceived presentation of the person in a labelled picture, by people, never by a model.

    No key leads from here to the picture, its owner, its prompt or its label: what the estimate
    needs is copied, the time is a day, and the key is random.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    perceived = models.CharField(max_length=16, choices=Perceived.choices)
    truth = models.CharField(max_length=16, choices=Label.Truth.choices)
    is_flagged = models.BooleanField()
    inclusion_probability = models.FloatField()
    seen_on = models.DateField()

    def __str__(self) -> str:
        return f"presentation {self.perceived}"
