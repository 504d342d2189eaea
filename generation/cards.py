"""What the pages show of requests and images: frozen values between tables and templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from generation import estimates, failures, progress
from generation.failures import Failure
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from moderation.models import Decision, Statement

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
IMAGE_LABELS: dict[str, tuple[str, str]] = {
    ImageState.RELEASED: ("Released", "good"),
    ImageState.HELD: ("Held for review", "warn"),
    ImageState.WITHHELD: ("Withheld", "bad"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a prompt or an image was refused, and where its statement of reasons stands."""

    code: str
    is_automated: bool
    statement_url: str


@dataclass(frozen=True, slots=True)
class ImageCard:
    """One frame of the contact sheet. `file_url` is empty unless the owner may have the picture."""

    id: UUID
    number: str
    prompt: str
    state: str
    label: str
    tone: str
    url: str
    file_url: str
    model_name: str
    created_at: datetime

    @property
    def is_deletable(self) -> bool:
        """A frame that a person is still to review stays until then."""
        return self.state != ImageState.HELD


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pages of the frames beside one in its owner's gallery; empty at the ends of the roll."""

    earlier_url: str
    later_url: str


@dataclass(frozen=True, slots=True)
class RequestCard:
    """A request with its live state.

    `position` is the place in line from 1, 0 for none; `preview_url` changes with each new
    preview and is empty while there is none.
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
            return f"Step {self.step} of {self.total}"
        if self.position:
            return "Next in line" if self.position == 1 else f"Place {self.position} in line"
        return "Rules and a classifier read it first"

    @property
    def state_key(self) -> str:
        """Changes whenever the card must be drawn anew, unlike its step, place and preview."""
        images = ",".join(image.state for image in self.images)
        return f"{self.status}:{self.is_held:d}:{self.is_cancelling:d}:{images}"

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


def frame_number(ordinal: int) -> str:
    """Edge print of the n-th picture: 1, 1A, 2, 2A, … as on 35 mm film."""
    return f"{(ordinal + 1) // 2}{'' if ordinal % 2 else 'A'}"


def numbered(images: QuerySet[GeneratedImage]) -> QuerySet[GeneratedImage]:
    """Adds `ordinal`: how many images the owner had made by then, deleted ones included."""
    until = (
        GeneratedImage.objects.filter(owner=OuterRef("owner"))
        .filter(
            Q(created_at__lt=OuterRef("created_at"))
            | Q(created_at=OuterRef("created_at"), id__lte=OuterRef("id"))
        )
        .order_by()
        .values("owner")
        .annotate(count=Count("id"))
        .values("count")
    )
    return images.annotate(ordinal=Coalesce(Subquery(until), 0))


def image_card(image: GeneratedImage) -> ImageCard:
    label, tone = IMAGE_LABELS[image.state]
    is_released = image.state == ImageState.RELEASED and bool(image.file)
    return ImageCard(
        id=image.id,
        number=frame_number(getattr(image, "ordinal", 1)),
        prompt=image.prompt,
        state=image.state,
        label=label,
        tone=tone,
        url=reverse("generation:image", args=[image.id]),
        file_url=reverse("generation:image-file", args=[image.id]) if is_released else "",
        model_name=image.model_name,
        created_at=image.created_at,
    )


def neighbours_of(image: GeneratedImage, images: QuerySet[GeneratedImage]) -> Neighbours:
    """The frames made just before and after `image` among `images`, its owner's own."""
    same = Q(created_at=image.created_at)
    earlier = images.filter(Q(created_at__lt=image.created_at) | same & Q(id__lt=image.id))
    later = images.filter(Q(created_at__gt=image.created_at) | same & Q(id__gt=image.id))
    return Neighbours(
        earlier_url=_page_of(earlier.order_by("-created_at", "-id").first()),
        later_url=_page_of(later.order_by("created_at", "id").first()),
    )


def _page_of(image: GeneratedImage | None) -> str:
    return reverse("generation:image", args=[image.id]) if image else ""


def refusals_of(subject_ids: Iterable[UUID]) -> dict[UUID, Refusal]:
    """The refusal in force for each subject that has one; a reversed one is not in force."""
    statements = (
        Statement.objects.filter(
            decision__subject_id__in=list(subject_ids),
            decision__action=Decision.Action.REFUSE,
            decision__reversed_by__isnull=True,
        )
        .select_related("decision")
        .order_by("created_at")
    )
    return {
        statement.decision.subject_id: Refusal(
            code=statement.decision.code,
            is_automated=statement.decision.is_automated,
            statement_url=statement.get_absolute_url(),
        )
        for statement in statements
    }


def request_cards(requests: Iterable[GenerationRequest]) -> list[RequestCard]:
    found = list(requests)
    running = [request.id for request in found if request.status == RequestStatus.RUNNING]
    steps = {request_id: progress.read(request_id) for request_id in running}
    images = _images_by_request(found)
    subjects = [request.id for request in found if request.status == RequestStatus.REFUSED]
    subjects += [
        image.id for made in images.values() for image in made if image.state == ImageState.WITHHELD
    ]
    refusals = refusals_of(subjects) if subjects else {}
    return [
        _request_card(request, steps, images.get(request.id, []), refusals) for request in found
    ]


def _images_by_request(
    requests: list[GenerationRequest],
) -> dict[UUID, list[GeneratedImage]]:
    ended = [request.id for request in requests if request.status == RequestStatus.FINISHED]
    if not ended:
        return {}
    images = GeneratedImage.objects.filter(request__in=ended, deleted_at__isnull=True)
    grouped: dict[UUID, list[GeneratedImage]] = {}
    for image in numbered(images).order_by("request", "index"):
        grouped.setdefault(image.request_id, []).append(image)
    return grouped


def _request_card(
    request: GenerationRequest,
    steps: dict[UUID, progress.Progress | None],
    images: list[GeneratedImage],
    refusals: dict[UUID, Refusal],
) -> RequestCard:
    label, tone = HELD if request.is_held else LABELS[request.status]
    is_cancelling = request.is_active and request.cancel_requested_at is not None
    now = steps.get(request.id) or progress.Progress("denoise", 0, request.steps)
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
        total=now.steps or request.steps,
        position=estimates.position(request) or 0,
        preview_url=_preview_url(request, now.preview),
        seed=request.seed,
        created_at=request.created_at,
        images=tuple(image_card(image) for image in images),
        refusal=refusals.get(request.id)
        or next((refusals[image.id] for image in images if image.id in refusals), None),
        failure=failures.explain(request.code) if request.status == RequestStatus.FAILED else None,
    )


def _preview_url(request: GenerationRequest, preview: bytes | None) -> str:
    if preview is None:
        return ""
    return f"{reverse('generation:preview', args=[request.id])}?v={crc32(preview):08x}"


def frame_of(image: GeneratedImage) -> str:
    """The frame number of one image."""
    [same] = numbered(GeneratedImage.objects.filter(id=image.id))
    return frame_number(getattr(same, "ordinal", 1))
