"""Counterfactual suites on their way through a model and the policy in force."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from moderation.audits.models.labels import Label


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
