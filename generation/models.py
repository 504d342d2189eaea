"""Requests for images, the images that came of them, and which moves between states are legal."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import storages
from django.core.files.storage.base import Storage
from django.db import models
from django.db.models import F, Q

from adapters.models import Adapter, BaseModel
from provenance.errors import ProofsheetError


def private_storage() -> Storage:
    """Storage that no URL serves: images leave it only through a view that checks the owner."""
    return storages["private"]


class WrongState(ProofsheetError):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "wrong_state"
    default_status = 409
    default_message = "This has already moved on, so that step is no longer possible."
    default_advice = "Reload the page to see where it stands."


class RequestStatus(models.TextChoices):
    SUBMITTED = "submitted"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


S = RequestStatus

TRANSITIONS: dict[str, frozenset[str]] = {
    S.SUBMITTED: frozenset({S.QUEUED, S.REFUSED, S.CANCELLED, S.FAILED}),
    S.QUEUED: frozenset({S.RUNNING, S.CANCELLED, S.FAILED}),
    S.RUNNING: frozenset({S.QUEUED, S.FINISHED, S.CANCELLED, S.FAILED}),
    S.REFUSED: frozenset({S.QUEUED}),  # a refusal of the prompt that was reversed
    S.FINISHED: frozenset(),
    S.CANCELLED: frozenset(),
    S.FAILED: frozenset(),
}
ACTIVE = (S.SUBMITTED, S.QUEUED, S.RUNNING)


class ImageState(models.TextChoices):
    HELD = "held"
    RELEASED = "released"
    WITHHELD = "withheld"


IMAGE_TRANSITIONS: dict[str, frozenset[str]] = {
    ImageState.HELD: frozenset({ImageState.RELEASED, ImageState.WITHHELD}),
    ImageState.RELEASED: frozenset({ImageState.WITHHELD}),
    ImageState.WITHHELD: frozenset({ImageState.RELEASED}),
}


class GenerationRequest(models.Model):
    """One prompt on its way to an image.

    `lease_token` is the fencing token: whoever publishes a result must still hold it.
    `is_held` marks a submitted prompt that waits for a moderator.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="generation_requests"
    )
    status = models.CharField(max_length=16, choices=S.choices, default=S.SUBMITTED)
    is_held = models.BooleanField(default=False)
    code = models.CharField(max_length=64, blank=True, help_text="Why it was refused or failed.")

    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    model = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="+")
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    seed = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    priority = models.SmallIntegerField(default=0)
    predicted_ms = models.PositiveIntegerField(default=0, help_text="Device time, as predicted.")
    device_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="Device time that it took."
    )
    screening_attempts = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_worker = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    timings = models.JSONField(default=dict, help_text="Milliseconds by stage.")

    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=S.values), name="generation_request_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=S.RUNNING, lease_token__isnull=False)
                & Q(lease_expires_at__isnull=False)
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
        ]
        indexes = [
            models.Index(
                F("priority").desc(),
                "queued_at",
                condition=Q(status=S.QUEUED),
                name="generation_waiting",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(status=S.RUNNING),
                name="generation_leases",
            ),
            models.Index(fields=["owner", "-created_at"], name="generation_request_of_owner"),
            models.Index(
                fields=["model", "-ended_at"],
                condition=Q(status=S.FINISHED),
                name="generation_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def _move(self, to: RequestStatus) -> None:
        if to not in TRANSITIONS[self.status]:
            raise WrongState
        self.status = to
        self.is_held = False
        if to != S.RUNNING:
            self.lease_token = None
            self.lease_worker = ""
            self.lease_expires_at = None

    def hold(self) -> None:
        if self.status != S.SUBMITTED:
            raise WrongState
        self.is_held = True
        self.save()

    def enqueue(self, *, at: datetime) -> None:
        self._move(S.QUEUED)
        self.queued_at = self.queued_at or at
        self.ended_at = None
        self.code = ""
        self.save()

    def start(self, *, token: UUID, worker: str, lease: timedelta, at: datetime) -> None:
        self._move(S.RUNNING)
        self.lease_token = token
        self.lease_worker = worker
        self.lease_expires_at = at + lease
        self.attempts += 1
        self.started_at = at
        self.save()

    def finish(self, *, at: datetime) -> None:
        self._end(S.FINISHED, at=at)

    def refuse(self, *, code: str, at: datetime) -> None:
        self._end(S.REFUSED, code=code, at=at)

    def cancel(self, *, at: datetime) -> None:
        self._end(S.CANCELLED, at=at)

    def fail(self, *, code: str, at: datetime) -> None:
        self._end(S.FAILED, code=code, at=at)

    def ask_to_cancel(self, *, at: datetime) -> None:
        if self.status != S.RUNNING:
            raise WrongState
        self.cancel_requested_at = self.cancel_requested_at or at
        self.save()

    def mark_deleted(self, *, at: datetime) -> None:
        if self.is_active:
            raise WrongState
        self.deleted_at = at
        self.save()

    def _end(self, to: RequestStatus, *, at: datetime, code: str = "") -> None:
        self._move(to)
        self.code = code
        self.ended_at = at
        self.save()


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


class Worker(models.Model):
    """A worker process that announces itself every few seconds while it lives."""

    name = models.CharField(max_length=120, unique=True)
    queues = models.JSONField(default=list, help_text="Names of the queues that it takes from.")
    slots = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """A client's own name for a submission: the same key and body is the same request."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    request = models.ForeignKey(GenerationRequest, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="generation_key_once_a_user"),
        ]

    def __str__(self) -> str:
        return self.key


class GeneratedImage(models.Model):
    """A marked, screened and signed image. Its id is the id of its provenance asset.

    Everything that made it is frozen here, so it can be shown and made again whatever becomes
    of the request, the model or the adapters.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    request = models.ForeignKey(GenerationRequest, on_delete=models.CASCADE, related_name="images")
    index = models.PositiveSmallIntegerField(default=0)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="generated_images"
    )
    state = models.CharField(max_length=16, choices=ImageState.choices)
    code = models.CharField(max_length=64, blank=True, help_text="Why it is held or withheld.")
    file = models.FileField(storage=private_storage, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    seed = models.BigIntegerField()
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    model_slug = models.CharField(max_length=64)
    model_name = models.CharField(max_length=120)
    model_digest = models.CharField(max_length=64)
    adapters = models.JSONField(default=list, help_text="[{slug, name, weight, sha256}]")
    library_versions = models.JSONField(default=dict)
    notes = models.JSONField(default=list, help_text="[{code, message}], such as a cut prompt.")

    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "index"], name="generation_one_image_a_place"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ImageState.values), name="generation_image_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=ImageState.RELEASED) | Q(released_at__isnull=False),
                name="generation_image_released_at_when_released",
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "-created_at"],
                condition=Q(deleted_at__isnull=True),
                name="generation_image_of_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    def _move(self, to: ImageState) -> None:
        if to not in IMAGE_TRANSITIONS[self.state]:
            raise WrongState
        self.state = to

    def release(self, *, at: datetime) -> None:
        self._move(ImageState.RELEASED)
        self.released_at = at
        self.code = ""
        self.save()

    def withhold(self, *, code: str) -> None:
        self._move(ImageState.WITHHELD)
        self.code = code
        self.save()

    def mark_deleted(self, *, at: datetime) -> None:
        if self.state == ImageState.HELD:
            raise WrongState
        self.deleted_at = at
        self.file = ""
        self.save()


from generation.shares import Allowance as Allowance  # noqa: E402 - Django looks for models here
from generation.shares import Rota as Rota  # noqa: E402
