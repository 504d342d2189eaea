"""What audits stand on: the sampling frame, labels, renders of suites, and the reports made.

Labels, presentations and reports are never changed; triggers repeat that. The frame says of every
screening with which probability it was drawn, whether it was drawn or not: without that nothing
can be estimated from the labels.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from moderation.models import Perceived, Screening, SubjectKind


class NeverChanged(RuntimeError):
    """Somebody tried to change or delete a label or a report."""


class Kept(models.Model):
    """A row that is written once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise NeverChanged(f"A {self._meta.verbose_name} is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise NeverChanged(f"A {self._meta.verbose_name} is never deleted.")


class FrameEntry(models.Model):
    """One screening as the sample sees it. Groups come from person terms in the prompt, never from
    a model; clusters are keyed pseudonyms of prompt and owner.
    """

    screening = models.OneToOneField(Screening, primary_key=True, on_delete=models.PROTECT)
    stage = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
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


class Label(Kept):
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


class Presentation(Kept):
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


class AuditRun(models.Model):
    """A counterfactual suite on its way through a model and the policy in force."""

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        FINISHED = "finished", "Finished"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    suite = models.CharField(max_length=64)
    suite_sha256 = models.CharField(max_length=64)
    document = models.JSONField()
    model_slug = models.CharField(max_length=64)
    model_name = models.CharField(max_length=120)
    model_digest = models.CharField(max_length=64)
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    seeds = models.PositiveSmallIntegerField()
    profile = models.CharField(max_length=32)
    policy_version = models.CharField(max_length=64)
    policy_sha256 = models.CharField(max_length=64)
    prompt_classifier = models.CharField(max_length=64, blank=True)
    image_classifier = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    is_queued = models.BooleanField(
        default=False, help_text="Carried on by workers; else by the command that began it."
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    stop_code = models.CharField(max_length=64, blank=True)
    stop_message = models.CharField(max_length=200, blank=True)
    stint = models.PositiveIntegerField(
        default=0, help_text="Counts up: a worker's ticket names the one that it may work."
    )
    failures = models.PositiveSmallIntegerField(default=0, help_text="Stints cut off in a row.")
    leased_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="finished") ^ Q(finished_at__isnull=True),
                name="audits_finished_run_has_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.suite} on {self.model_slug}"

    def finish(self, *, at: datetime) -> None:
        self.status, self.finished_at = self.Status.FINISHED, at
        self.save(update_fields=["status", "finished_at"])

    def stop(self, *, code: str, message: str) -> None:
        self.status, self.stop_code, self.stop_message = self.Status.STOPPED, code, message[:200]
        self.leased_until = None
        self.save(update_fields=["status", "stop_code", "stop_message", "leased_until"])

    def go_on(self) -> None:
        self.status, self.stop_code, self.stop_message = self.Status.RUNNING, "", ""
        self.failures = 0
        self.save(update_fields=["status", "stop_code", "stop_message", "failures"])

    def queue(self, *, by_id: int | None, until: datetime) -> None:
        """Leave it to workers; the sweeper sends a ticket again when none came by `until`."""
        self.is_queued, self.asked_by_id, self.leased_until = True, by_id, until
        self.save(update_fields=["is_queued", "asked_by", "leased_until"])


class AuditRender(models.Model):
    """One unit of a run: asked for when the run begins, answered when it is screened. A suite for
    the prompt stage alone makes no pictures.
    """

    run = models.ForeignKey(AuditRun, on_delete=models.CASCADE, related_name="renders")
    place = models.PositiveIntegerField()
    template = models.CharField(max_length=64)
    activity = models.CharField(max_length=32)
    truth = models.CharField(max_length=16, choices=Label.Truth.choices)
    gender = models.CharField(max_length=16, blank=True)
    age = models.CharField(max_length=16, blank=True)
    skin = models.CharField(max_length=16, blank=True)
    seed = models.BigIntegerField()
    prompt = models.TextField()
    prompt_scores = models.JSONField(null=True)
    prompt_verdict = models.CharField(max_length=8, blank=True)
    image_scores = models.JSONField(null=True)
    image_verdict = models.CharField(max_length=8, blank=True)
    image_sha256 = models.CharField(max_length=64, blank=True)
    rendered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "template", "gender", "age", "skin", "seed"],
                name="audits_one_render_a_cell",
            ),
            models.UniqueConstraint(fields=["run", "place"], name="audits_render_place"),
            models.CheckConstraint(
                condition=Q(rendered_at__isnull=True) ^ ~Q(prompt_verdict=""),
                name="audits_answered_has_verdict",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.place}"


class Audit(Kept):
    """A report as it was made: its JSON is the report, the digests are those of its files."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    scope = models.CharField(max_length=120, help_text="What a later audit is compared with.")
    document = models.TextField()
    digests = models.JSONField(help_text="SHA-256 of every file.")
    ended_on = models.DateField(null=True, help_text="Last day of the period; none for a suite.")
    is_scheduled = models.BooleanField(default=False)
    has_alarm = models.BooleanField(default=False, help_text="A primary contrast got worse.")
    run = models.ForeignKey(AuditRun, null=True, on_delete=models.PROTECT, related_name="audits")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["scope", "-made_at"], name="audits_latest_of_scope")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("audits:audit", args=[self.id])


class AuditFile(Kept):
    """One file of a report as it was frozen: a later version of the house may draw it otherwise.

    The JSON is the report itself, `Audit.document`.
    """

    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=80)
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "name"], name="audits_one_file_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class AuditDecision(Kept):
    """What was decided on a frozen report, and who answers for it. A later one is a new row."""

    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, related_name="decisions")
    responsible = models.CharField(max_length=120)
    decision = models.TextField()
    report_sha256 = models.CharField(max_length=64, help_text="Of the report.json decided on.")
    sha256 = models.CharField(max_length=64, help_text="Of what it says; stands in the log.")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"decision on {self.audit_id}"
