"""The sampling frame: each screening with the probability that it was drawn, and what was drawn."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from config.core.projects import columns
from moderation.models import Screening, SubjectKind


class FrameEntry(models.Model):
    """One screening as the sample sees it. Groups come from person terms in the prompt, never from
    a model; clusters are keyed pseudonyms of prompt and owner.
    """

    screening = models.OneToOneField(Screening, primary_key=True, on_delete=models.PROTECT)
    stage = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    project = columns.project(null=True)
    gender = models.CharField(max_length=16, blank=True)
    age = models.CharField(max_length=16, blank=True)
    skin = models.CharField(max_length=16, blank=True)
    prompt_cluster = models.BigIntegerField()
    owner_cluster = models.BigIntegerField()
    category = models.CharField(max_length=32, blank=True)
    score = models.FloatField(help_text="Of the category nearest to its threshold.")
    threshold = models.FloatField()
    scores = models.JSONField()
    is_flagged = models.BooleanField()
    sampling_stratum = models.CharField(max_length=64)
    inclusion_probability = models.FloatField()
    is_sampled = models.BooleanField()
    policy_version = models.CharField(max_length=64)
    model_version = models.CharField(max_length=64)
    screened_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "frame entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(inclusion_probability__gte=0) & Q(inclusion_probability__lte=1),
                name="audits_probability_is_one",
            )
        ]
        indexes = [
            models.Index(fields=["stage", "screened_at"], name="audits_frame_period"),
            models.Index(
                fields=["stage", "screened_at"],
                condition=Q(is_sampled=True),
                name="audits_frame_sampled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.sampling_stratum}"


class SampledItem(models.Model):
    """A drawn screening and how many labels it has: they are given at the review desk, in a blind
    case that also decides what was held, or in one that was opened for the label alone.
    """

    entry = models.OneToOneField(FrameEntry, primary_key=True, on_delete=models.CASCADE)
    labels_wanted = models.PositiveSmallIntegerField()
    labels_given = models.PositiveSmallIntegerField(default=0)
    drawn_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(labels_given__lte=F("labels_wanted")), name="audits_no_label_too_many"
            )
        ]

    def __str__(self) -> str:
        return f"item {self.pk}"

    def count_label(self) -> None:
        self.labels_given += 1
        self.save(update_fields=["labels_given"])
