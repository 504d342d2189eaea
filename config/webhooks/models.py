"""Endpoints that projects want to be told at, what signs for them, and what was delivered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Q

from config.core.projects.models import Project
from config.core.watching.tracing import TRACEPARENT_CHARACTERS

AT_ONCE = 4
_QUICK_MS = 2000


class Endpoint(models.Model):
    """An address that a project's events are sent to. `types` are those that it wants; empty: all.

    A deleted one is gone for everybody at once and its row a day later: an event that is just being
    written may still name it.

    `is_proven` says that the last attempt succeeded quickly: only then are deliveries sent in the
    places that are kept for such endpoints.
    """

    class OffBecause(models.TextChoices):
        CHOSEN = "chosen", "switched off by a member"
        GONE = "gone", "it answered 410 Gone"
        FAILING = "failing", "it failed for days"
        DELETED = "deleted", "it was deleted"

    class Scheme(models.TextChoices):
        HMAC = "v1", "A shared secret (HMAC-SHA256)"
        ED25519 = "v1a", "A key pair (Ed25519)"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=120, blank=True)
    types = models.JSONField(default=list)
    scheme = models.CharField(max_length=4, choices=Scheme.choices, default=Scheme.HMAC)
    made_at = models.DateTimeField()
    off_at = models.DateTimeField(null=True, blank=True)
    off_because = models.CharField(max_length=8, choices=OffBecause.choices, blank=True)
    is_proven = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(off_at=None, off_because="")
                | Q(off_at__isnull=False) & ~Q(off_because=""),
                name="webhooks_off_with_a_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "made_at"], name="webhooks_of_project"),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def is_on(self) -> bool:
        return self.off_at is None

    @property
    def at_once(self) -> int:
        """How many deliveries may be under way; one that failed is probed."""
        return 1 if self.failures else AT_ONCE

    def wants(self, type: str) -> bool:
        return not self.types or type in self.types

    def is_resting(self, *, at: datetime) -> bool:
        return self.rests_until is not None and self.rests_until > at

    def note_success(self, *, took_ms: int) -> None:
        was = (self.is_proven, self.failures, self.failing_since, self.rests_until)
        self.is_proven, self.failures = took_ms <= _QUICK_MS, 0
        self.failing_since = self.rests_until = None
        if was != (self.is_proven, 0, None, None):
            self.save()

    def note_failure(self, *, rest: timedelta, at: datetime) -> None:
        self.is_proven = False
        self.failures += 1
        self.failing_since = self.failing_since or at
        self.rests_until = at + rest if rest else None
        self.save()

    def switch_off(self, because: str, *, at: datetime) -> None:
        self.off_at, self.off_because = at, because
        self.save()

    def switch_on(self) -> None:
        self.off_at, self.off_because = None, ""
        self.is_proven, self.failures = False, 0
        self.failing_since = self.rests_until = None
        self.save()


class SigningSecret(models.Model):
    """What signs an endpoint's deliveries, sealed. An older one signs too until it ends."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="secrets")
    sealed = models.BinaryField()
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"secret {self.pk} of {self.endpoint_id}"


class Delivery(models.Model):
    """An event on its way to one endpoint: a row of the outbox, and afterwards of the log.

    `lease_token` is the fencing token of who sends it; `body` is sent as it is each time.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waits"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "given up"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    event_id = models.CharField(max_length=64)
    type = models.CharField(max_length=64)
    body = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    traceparent = models.CharField(
        max_length=TRACEPARENT_CHARACTERS, blank=True, default="", db_default=""
    )
    written_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="webhooks_event_once_an_endpoint"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None)
                | ~Q(state="waiting") & Q(ended_at__isnull=False, lease_token=None),
                name="webhooks_ended_at_with_end",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "due_at"], condition=Q(state="waiting"), name="webhooks_due"
            ),
            models.Index(
                fields=["endpoint"],
                condition=Q(lease_token__isnull=False),
                name="webhooks_under_way",
            ),
            models.Index(fields=["endpoint", "-written_at"], name="webhooks_log"),
            models.Index(fields=["written_at"], name="webhooks_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.event_id})"

    def is_under_way(self, *, at: datetime) -> bool:
        return self.lease_until is not None and self.lease_until > at

    def take(self, *, token: UUID, until: datetime) -> None:
        self.lease_token, self.lease_until = token, until
        self.attempts += 1
        self.save(update_fields=["lease_token", "lease_until", "attempts"])

    def end(self, state: str, *, at: datetime) -> None:
        self.state, self.ended_at = state, at
        self.lease_token = self.lease_until = None
        self.save()

    def put_off(self, *, until: datetime) -> None:
        self.due_at = until
        self.lease_token = self.lease_until = None
        self.save()

    def send_again(self, *, at: datetime) -> None:
        """The same event with the same id, from the beginning of the schedule."""
        self.state, self.ended_at, self.due_at, self.attempts = self.State.WAITING, None, at, 0
        self.lease_token = self.lease_until = None
        self.save()


class DeliveryAttempt(models.Model):
    """What came of sending a delivery once; of the answer nothing but its status is kept."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    sent_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, help_text="Null: no answer.")
    problem = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.status or self.problem} at {self.sent_at}"
