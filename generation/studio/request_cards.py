"""What the pages show of requests: frozen values between tables and templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse
from django.utils import timezone

from generation.conditions import init_images
from generation.gallery.image_cards import ImageCard, image_cards, numbered
from generation.gallery.refusals import Refusal, refusals_of
from generation.line import place_in_line, waiting_reasons
from generation.models import (
    SEEDS,
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestStatus,
    SourcePicture,
)
from generation.progress import previews
from generation.request_rules import failures
from generation.request_rules.failures import Failure

LABELS: dict[str, tuple[str, str]] = {
    RequestStatus.SUBMITTED: ("Screening the prompt", "neutral"),
    RequestStatus.QUEUED: ("Waiting in line", "neutral"),
    RequestStatus.RUNNING: ("Developing", "warn"),
    RequestStatus.FINISHED: ("Finished", "good"),
    RequestStatus.REFUSED: ("Refused", "bad"),
    RequestStatus.CANCELLED: ("Cancelled", "neutral"),
    RequestStatus.FAILED: ("Failed", "bad"),
}
STAGES = {
    "denoise": "Developing",
    "mark": "Watermarking",
    "screen": "Screening the picture",
    "sign": "Signing",
    "store": "Filing",
}
HELD = ("Held for review", "warn")
DELETED = ("Picture deleted", "neutral")


@dataclass(frozen=True, slots=True)
class FailedImage:
    """One of several images that failed, as its owner is told."""

    place: int
    seed: int
    code: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class RequestCard:
    """A request with its live state. `notes` say once what of the prompts had no effect.

    `position` is the place in line from 1, 0 for none; `preview_url` changes with each new
    preview and is empty while there is none; `waits_for` says so while no worker is ready.
    """

    id: UUID
    prompt: str
    model_name: str
    status: str
    label: str
    tone: str
    code: str
    is_active: bool
    is_held: bool
    is_cancelling: bool
    step: int
    total: int
    position: int
    preview_url: str
    seed: int
    created_at: datetime
    images: tuple[ImageCard, ...]
    refusal: Refusal | None
    failure: Failure | None
    is_source_stopped: bool
    count: int
    failed: tuple[FailedImage, ...]
    notes: tuple[str, ...]
    waits_for: str = ""

    @property
    def outstanding(self) -> range:
        """Frames that are still to come, while it is active or has made nothing."""
        is_blank = not self.images and not self.failed
        rest = self.count - len(self.images) - len(self.failed) if self.is_active else int(is_blank)
        return range(max(rest, 0))

    @property
    def seeds(self) -> str:
        last = (self.seed + self.count - 1) % SEEDS
        return f"Seed {self.seed}" if self.count == 1 else f"Seeds {self.seed} to {last}"

    @property
    def is_removable(self) -> bool:
        """Whether its owner may clear it away without losing a picture."""
        return not self.is_active and not self.images

    @property
    def line(self) -> str:
        """Where exactly an active one is, in a few words."""
        if self.is_held:
            return "Waiting for a moderator"
        if self.status == RequestStatus.RUNNING:
            made = f", {len(self.images)} of {self.count} made" if self.count > 1 else ""
            return f"Step {self.step} of {self.total}{made}"
        if self.waits_for:
            return self.waits_for
        if self.position:
            return "Next in line" if self.position == 1 else f"Place {self.position} in line"
        return "Rules and a classifier read it first"

    @property
    def state_key(self) -> str:
        """Changes whenever the card must be drawn anew, unlike its step, place and preview."""
        images = ",".join(image.state for image in self.images)
        return f"{self.status}:{self.is_held:d}:{self.is_cancelling:d}:{images}:{len(self.failed)}"

    def live(self) -> dict[str, Any]:
        """What a stream tells of it."""
        return {
            "id": str(self.id),
            "state": self.state_key,
            "is_active": self.is_active,
            "label": self.label,
            "step": self.step,
            "total": self.total,
            "line": self.line,
            "preview": self.preview_url,
        }


def request_cards(
    requests: Iterable[GenerationRequest], *, by: AbstractBaseUser
) -> list[RequestCard]:
    """One card a request, in their order, as `by` may see it; what was refused or withheld with its
    reason."""
    found = list(requests)
    running = [request.id for request in found if request.status == RequestStatus.RUNNING]
    steps = {request_id: previews.read(request_id) for request_id in running}
    images = _images_by_request(found)
    held = [request.id for request in found if request.is_held]
    refused = [request.id for request in found if request.status == RequestStatus.REFUSED]
    stopped = init_images.stopped(held + refused) if held or refused else {}
    subjects = refused + [source.id for source in stopped.values()]
    subjects += [
        image.id for made in images.values() for image in made if image.state == ImageState.WITHHELD
    ]
    refusals = refusals_of(subjects) if subjects else {}
    lines = waiting_reasons.lines(found, at=timezone.now())
    cards = [
        _request_card(
            request,
            steps,
            images.get(request.id, []),
            refusals,
            stopped.get(request.id),
            by=by,
        )
        for request in found
    ]
    return [
        replace(card, waits_for=waiting_reasons.line_of(request, lines)) if lines else card
        for card, request in zip(cards, found, strict=True)
    ]


def _images_by_request(
    requests: list[GenerationRequest],
) -> dict[UUID, list[GeneratedImage]]:
    begun = [request.id for request in requests if request.made]
    if not begun:
        return {}
    images = GeneratedImage.objects.filter(request__in=begun, deleted_at__isnull=True)
    grouped: dict[UUID, list[GeneratedImage]] = {}
    for image in numbered(images).order_by("request", "index"):
        grouped.setdefault(image.request_id, []).append(image)
    return grouped


def _request_card(
    request: GenerationRequest,
    steps: dict[UUID, previews.RenderProgress | None],
    images: list[GeneratedImage],
    refusals: dict[UUID, Refusal],
    stopped: SourcePicture | None,
    *,
    by: AbstractBaseUser,
) -> RequestCard:
    is_cancelling = request.is_active and request.cancel_requested_at is not None
    steps_in_all = request.steps * request.count
    now = steps.get(request.id) or previews.RenderProgress("denoise", 0, steps_in_all)
    label, tone = HELD if request.is_held else LABELS[request.status]
    if request.status == RequestStatus.RUNNING:
        label = "Cancelling" if is_cancelling else STAGES.get(now.stage, label)
    elif request.status == RequestStatus.FINISHED and not images:
        label, tone = DELETED
    return RequestCard(
        id=request.id,
        prompt=request.prompt,
        model_name=request.model.name,
        status=request.status,
        label=label,
        tone=tone,
        code=request.code,
        is_active=request.is_active,
        is_held=request.is_held,
        is_cancelling=is_cancelling,
        step=now.step,
        total=now.steps or steps_in_all,
        position=place_in_line.position(request) or 0,
        preview_url=_preview_url(request, now.preview),
        seed=request.seed,
        created_at=request.created_at,
        images=tuple(image_cards(images, by=by)),
        refusal=refusals.get(request.id)
        or (refusals.get(stopped.id) if stopped else None)
        or next((refusals[image.id] for image in images if image.id in refusals), None),
        failure=_failure(request),
        is_source_stopped=stopped is not None,
        count=request.count,
        failed=tuple(_failed_image(request, failure) for failure in request.failures),
        notes=tuple(dict.fromkeys(n["message"] for image in images for n in image.notes)),
    )


def _failure(request: GenerationRequest) -> failures.Failure | None:
    has_failed = request.status == RequestStatus.FAILED
    return failures.explain(request.code, request.failures) if has_failed else None


def _failed_image(request: GenerationRequest, said: dict[str, Any]) -> FailedImage:
    index, code = said["index"], said["code"]
    failure = failures.explain(code, [said])
    return FailedImage(index + 1, request.seed_of(index), code, failure)


def _preview_url(request: GenerationRequest, preview: bytes | None) -> str:
    if preview is None:
        return ""
    return f"{reverse('generation:preview', args=[request.id])}?v={crc32(preview):08x}"
