"""Reports as they were made, and what was decided on them; never changed, triggers repeat that."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.urls import reverse

from config.core.projects import columns
from config.core.transitions import WrittenOnce
from moderation.audits.models.runs import AuditRun


class Audit(WrittenOnce):
    """A report as it was made: its JSON is the report, the digests are those of its files."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    scope = models.CharField(max_length=120, help_text="What a later audit is compared with.")
    project = columns.project(null=True)
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


class AuditFile(WrittenOnce):
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


class AuditDecision(WrittenOnce):
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
