"""Requests for images: what was asked for, how far it is, and which moves are legal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from adapters.models import Adapter, BaseModel
from config.core import events
from config.core.ownership import ProjectRows
from config.core.projects import columns
from config.core.transitions import WrongState
from config.core.watching.instruments import REQUESTS_ENDED, bounded
from config.core.watching.tracing import TRACEPARENT_CHARACTERS
from generation.models import fair_shares, news

if TYPE_CHECKING:
    from generation.models.images import GeneratedImage
    from generation.models.init_images import SourcePicture

SEEDS = 2**32
DEVICE_STAGES = ("adapters_ms", "denoise_ms", "decode_ms")


class RequestStatus(models.TextChoices):
    """Submitted waits to be screened, queued for a worker; only a refusal is undone again."""

    SUBMITTED = "submitted"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


S = RequestStatus
ACTIVE = (S.SUBMITTED, S.QUEUED, S.RUNNING)


class GenerationRows(ProjectRows["GenerationRequest"]):
    """Requests, by whose project they are."""


class GenerationRequest(models.Model):
    """One prompt on its way to an image, or to a few with seeds of their own.

    `lease_token` is the fencing token: whoever publishes a result must still hold it. What waits is
    started by the claim, which is a function of the database (`request_rules/claim_function.py`).
    `is_held` marks a submitted prompt that waits for a moderator.
    """

    TRANSITIONS: dict[str, frozenset[str]] = {
        S.SUBMITTED: frozenset({S.QUEUED, S.REFUSED, S.CANCELLED, S.FAILED}),
        S.QUEUED: frozenset({S.RUNNING, S.CANCELLED, S.FAILED}),
        S.RUNNING: frozenset({S.QUEUED, S.FINISHED, S.CANCELLED, S.FAILED}),
        # A refusal that was reversed: of the prompt, or of the picture to start from, whose prompt
        # is still to be screened.
        S.REFUSED: frozenset({S.QUEUED, S.SUBMITTED}),
        S.FINISHED: frozenset(),
        S.CANCELLED: frozenset(),
        S.FAILED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="generation_requests"
    )
    project = columns.project()
    end_user = columns.end_user()
    status = models.CharField(max_length=16, choices=S.choices, default=S.SUBMITTED)
    is_held = models.BooleanField(default=False)
    is_live = models.BooleanField(
        default=False, help_text="Of the live page: shown once, never stored."
    )
    code = models.CharField(max_length=64, blank=True, help_text="Why it was refused or failed.")

    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    model = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="+")
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    guidance_rescale = models.FloatField(default=0.0, db_default=0.0)
    seed = models.BigIntegerField(help_text="Of the first image; each further one counts it up.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    label = models.CharField(
        max_length=64, blank=True, help_text="Visible label: its corner, a space, its text."
    )
    count = models.PositiveSmallIntegerField(default=1, help_text="How many images.")
    made = models.PositiveSmallIntegerField(default=0, help_text="How many of them were made.")
    failures = models.JSONField(default=list, help_text="[{index, code}] of those that failed.")

    priority = models.SmallIntegerField(default=0)
    predicted_ms = models.PositiveIntegerField(default=0, help_text="Device time, as predicted.")
    turn_ms = models.BigIntegerField(default=0, help_text="Place among its project's: see turn().")
    device_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="Device time that it took."
    )
    screening_attempts = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_worker = models.CharField(max_length=120, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    timings = models.JSONField(default=dict, help_text="Milliseconds by stage.")

    traceparent = models.CharField(
        max_length=TRACEPARENT_CHARACTERS, blank=True, default="", db_default=""
    )

    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = GenerationRows.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=S.values), name="generation_request_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=S.RUNNING, lease_token__isnull=False)
                | ~Q(status=S.RUNNING) & Q(lease_token__isnull=True),
                name="generation_request_leased_while_running",
            ),
            models.CheckConstraint(
                condition=Q(is_held=False) | Q(status=S.SUBMITTED),
                name="generation_request_held_only_submitted",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ACTIVE, ended_at__isnull=True)
                | ~Q(status__in=ACTIVE) & Q(ended_at__isnull=False),
                name="generation_request_ended_at_with_end",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(S.REFUSED, S.FAILED)) | ~Q(code=""),
                name="generation_request_code_when_refused_or_failed",
            ),
            models.CheckConstraint(
                condition=Q(steps__range=(1, 100), guidance__range=(0.0, 20.0)),
                name="generation_request_parameters_in_range",
            ),
            models.CheckConstraint(
                condition=Q(guidance_rescale__range=(0.0, 1.0)),
                name="generation_request_rescale_in_range",
            ),
            models.CheckConstraint(
                condition=Q(count__range=(1, 4), made__lte=F("count")),
                name="generation_request_makes_no_more_than_asked",
            ),
        ]
        indexes = [
            models.Index(
                F("priority").desc(),
                "queued_at",
                condition=Q(status=S.QUEUED),
                name="generation_waiting",
            ),
            models.Index(
                fields=["priority"], condition=Q(status__in=ACTIVE), name="generation_active"
            ),
            models.Index(
                F("priority").desc(),
                "project",
                *fair_shares.IN_TURN,
                condition=Q(status=S.QUEUED),
                name="generation_line",
            ),
            models.Index(
                fields=["project", "end_user", "owner", "priority", "turn_ms"],
                condition=Q(status=S.QUEUED),
                name="generation_line_of_one",
            ),
            models.Index(fields=["-created_at", "-id"], name="generation_request_by_age"),
            models.Index(
                fields=["started_at"],
                condition=Q(started_at__isnull=False),
                name="generation_started",
            ),
            models.Index(
                fields=["ended_at"], condition=Q(is_live=True), name="generation_live_ended"
            ),
            models.Index(fields=["owner", "-created_at"], name="generation_request_of_owner"),
            models.Index(fields=["project", "-created_at"], name="generation_request_of_project"),
            models.Index(
                fields=["end_user", "-created_at"],
                condition=Q(end_user__isnull=False),
                name="generation_request_of_end_user",
            ),
            models.Index(
                fields=["model", "-ended_at"],
                condition=Q(status=S.FINISHED),
                name="generation_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    # Beside the columns, for whoever fetched a request with its parts or has just stored it.
    used_adapters: list[RequestAdapter]
    made_images: list[GeneratedImage]
    is_from_noise = False

    @property
    def starts_from(self) -> SourcePicture | None:
        """The picture that it starts from, None for noise."""
        return None if self.is_from_noise else getattr(self, "source", None)

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def _move(self, to: RequestStatus) -> None:
        if to not in self.TRANSITIONS[self.status]:
            raise WrongState
        self.status = to
        self.is_held = False
        if to != S.RUNNING and self.lease_token is not None:
            LeaseTerm.objects.filter(request=self.id).delete()
            self.lease_token = None
            self.lease_worker = ""

    def hold(self) -> None:
        if self.status != S.SUBMITTED:
            raise WrongState
        self.is_held = True
        self.save()
        news.tell_of_request(self, "held")

    def enqueue(self, *, at: datetime) -> None:
        self._move(S.QUEUED)
        self.queued_at = self.queued_at or at
        self.ended_at = None
        self.code = ""
        self.save()
        self.stand_in_line()

    def stand_in_line(self) -> None:
        """Last in the transaction that lets it wait: see `fair_shares.join`, whose lock lets one
        after the other take its turn. What is handed back has its turn already."""
        fair_shares.join(
            self.priority, self.project_id, cost_ms=self.predicted_ms, request_id=self.id
        )
        if not self.turn_ms:
            self.turn_ms = fair_shares.turn(self.id, is_of_end_user=self.end_user_id is not None)

    def resume(self) -> None:
        """Back to the screening of the prompt, once a held or refused source was let through."""
        if self.status == S.SUBMITTED:
            self.is_held = False
        else:
            self._move(S.SUBMITTED)
        self.ended_at = None
        self.code = ""
        self.save()

    def seed_of(self, index: int) -> int:
        return (self.seed + index) % SEEDS

    def outstanding(self) -> list[int]:
        """Places of the images that are neither made nor have failed."""
        over = set(self.images.values_list("index", flat=True))
        over |= {failure["index"] for failure in self.failures}
        return [index for index in range(self.count) if index not in over]

    def add_up(self, timings: Mapping[str, float]) -> None:
        """Milliseconds by stage over all images of the request, and the device's among them."""
        before = self.timings if self.made else {}
        self.timings |= {name: round(before.get(name, 0.0) + ms, 2) for name, ms in timings.items()}
        self.device_ms = round(sum(self.timings.get(stage, 0.0) for stage in DEVICE_STAGES))

    def note_made(self, *, at: datetime) -> None:
        """One image more; the last one ends the request."""
        self.made += 1
        self._settle(at=at)

    def note_failed(
        self, indices: Sequence[int], *, code: str, at: datetime, adapters: Sequence[str] = ()
    ) -> None:
        """Images that will not be made; the others are not lost by it. `adapters` are the names of
        those at fault, if any: what they are called may change before anybody reads it."""
        named = {"adapters": list(adapters)} if adapters else {}
        self.failures = [*self.failures, *({"index": n, "code": code} | named for n in indices)]
        self._settle(at=at)

    def _settle(self, *, at: datetime) -> None:
        if self.made + len(self.failures) < self.count:
            self.save()
        elif self.made:
            self.finish(at=at)
        else:
            self.fail(code=self.failures[0]["code"], at=at)

    def finish(self, *, at: datetime) -> None:
        self._end(S.FINISHED, at=at)
        if self.images.filter(state="released").exists():  # what is held is told of by itself
            news.tell_of_request(self, "succeeded")

    def refuse(self, *, code: str, at: datetime) -> None:
        self._end(S.REFUSED, code=code, at=at)

    def cancel(self, *, at: datetime) -> None:
        self._end(S.CANCELLED, at=at)

    def fail(self, *, code: str, at: datetime) -> None:
        self._end(S.FAILED, code=code, at=at)
        news.tell_of_request(self, "failed")

    def ask_to_cancel(self, *, at: datetime) -> None:
        if self.status != S.RUNNING:
            raise WrongState
        self.cancel_requested_at = self.cancel_requested_at or at
        self.save()

    def mark_deleted(self, *, at: datetime) -> None:
        if self.is_active:
            raise WrongState
        self.deleted_at = at
        self.prompt = self.negative_prompt = self.label = ""
        self.save()

    def _end(self, to: RequestStatus, *, at: datetime, code: str = "") -> None:
        self._move(to)
        self.code = code
        self.ended_at = at
        self.save()
        ended = REQUESTS_ENDED.labels(to.value, bounded("code", code) if code else "")
        events.after_commit(ended.inc)


class LeaseTerm(models.Model):
    """Until when a running request is leased, under the token of its row. Renewed every few
    seconds, so it is a table of its own: narrow, half empty, and without an index on what changes.
    """

    request = models.OneToOneField(
        GenerationRequest, on_delete=models.CASCADE, primary_key=True, related_name="lease_term"
    )
    token = models.UUIDField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.request_id} until {self.expires_at}"


class RequestAdapter(models.Model):
    """An adapter that a request asked for, with its weight and the digest it had then."""

    request = models.ForeignKey(
        GenerationRequest, on_delete=models.CASCADE, related_name="request_adapters"
    )
    adapter = models.ForeignKey(Adapter, on_delete=models.PROTECT, related_name="+")
    weight = models.FloatField()
    sha256 = models.CharField(max_length=64)
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "adapter"], name="generation_adapter_once_a_request"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.adapter_id} at {self.weight:g}"


class IdempotencyKey(models.Model):
    """A client's own name for a submission: the same key and body is the same request.

    Of a request that was deleted the key alone is kept: the same call does not make it anew.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    project = columns.project()
    key = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64, blank=True)
    request = models.ForeignKey(GenerationRequest, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "key"], name="generation_key_once_a_project"
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="generation_key_by_age")]

    def __str__(self) -> str:
        return self.key
