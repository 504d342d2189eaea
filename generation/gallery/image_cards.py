"""What the pages show of requests and images: frozen values between tables and templates."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from generation.capacity import estimates
from generation.conditions import init_images
from generation.models import (
    SEEDS,
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestStatus,
    Restriction,
    SourcePicture,
    SourceState,
)
from generation.request_rules import failures
from generation.request_rules.failures import Failure
from generation.requests import progress, waiting_reasons
from moderation.account_status import audiences
from moderation.models import Statement
from moderation.subjects.actions import RESTRICTIONS

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
    Restriction.BLURRED: ("Released, blurred", "warn"),
    Restriction.AGE_RESTRICTED: ("For adults", "warn"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a prompt or an image was refused or restricted, and where its statement stands."""

    code: str
    is_automated: bool
    statement_url: str


@dataclass(frozen=True, slots=True)
class ImageCard:
    """One frame of the contact sheet. `file_url` is empty unless the owner may have the picture;
    `is_for_adults` says that it is kept from one who did not say to be of age.
    """

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
    restriction: str = ""
    is_blurred: bool = False
    is_for_adults: bool = False

    @property
    def is_deletable(self) -> bool:
        """A frame that a person is still to review stays until then."""
        return self.state != ImageState.HELD


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """The picture that an image started from; no `url` once it is erased."""

    strength: float
    is_own_image: bool
    url: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pages of the frames beside one in its owner's gallery; empty at the ends of the roll."""

    earlier_url: str
    later_url: str


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


def image_cards(images: Iterable[GeneratedImage]) -> list[ImageCard]:
    """Asks who is of age only where a picture is restricted to adults."""
    found = list(images)
    restricted = {i.owner_id for i in found if i.restriction == Restriction.AGE_RESTRICTED}
    adults = {owner_id for owner_id in restricted if audiences.is_of_age(owner_id)}
    return [_image_card(image, adults) for image in found]


def _image_card(image: GeneratedImage, adults: Set[int]) -> ImageCard:
    label, tone = IMAGE_LABELS[image.restriction or image.state]
    is_kept = image.restriction == Restriction.AGE_RESTRICTED and image.owner_id not in adults
    is_released = image.state == ImageState.RELEASED and bool(image.file) and not is_kept
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
        restriction=image.restriction,
        is_blurred=image.is_blurred,
        is_for_adults=is_kept,
    )


def made_from(image: GeneratedImage) -> MadeFrom | None:
    """What `image` started from: an own image or an upload, None for noise."""
    if not image.source:
        return None
    source = init_images.of_request(image.request)
    url = ""
    if image.source["image"]:
        url = reverse("generation:image", args=[image.source["image"]])
    elif source is not None and source.file and source.state == SourceState.PASSED:
        url = reverse("generation:source", args=[image.request_id])
    return MadeFrom(image.source["strength"], bool(image.source["image"]), url)


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
    """The restriction in force for each subject that has one; a reversed one is not in force."""
    statements = (
        Statement.objects.filter(
            decision__subject_id__in=list(subject_ids),
            decision__action__in=RESTRICTIONS,
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
        _request_card(request, steps, images.get(request.id, []), refusals, stopped.get(request.id))
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
    steps: dict[UUID, progress.Progress | None],
    images: list[GeneratedImage],
    refusals: dict[UUID, Refusal],
    stopped: SourcePicture | None,
) -> RequestCard:
    label, tone = HELD if request.is_held else LABELS[request.status]
    is_cancelling = request.is_active and request.cancel_requested_at is not None
    steps_in_all = request.steps * request.count
    now = steps.get(request.id) or progress.Progress("denoise", 0, steps_in_all)
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
        position=estimates.position(request) or 0,
        preview_url=_preview_url(request, now.preview),
        seed=request.seed,
        created_at=request.created_at,
        images=tuple(image_cards(images)),
        refusal=refusals.get(request.id)
        or (refusals.get(stopped.id) if stopped else None)
        or next((refusals[image.id] for image in images if image.id in refusals), None),
        failure=failures.explain(request.code, request.failures)
        if request.status == RequestStatus.FAILED
        else None,
        is_source_stopped=stopped is not None,
        count=request.count,
        failed=tuple(_failed_image(request, failure) for failure in request.failures),
        notes=tuple(dict.fromkeys(n["message"] for image in images for n in image.notes)),
    )


def _failed_image(request: GenerationRequest, said: dict[str, Any]) -> FailedImage:
    index, code = said["index"], said["code"]
    failure = failures.explain(code, [said])
    return FailedImage(index + 1, request.seed_of(index), code, failure)


def _preview_url(request: GenerationRequest, preview: bytes | None) -> str:
    if preview is None:
        return ""
    return f"{reverse('generation:preview', args=[request.id])}?v={crc32(preview):08x}"


def frame_of(image: GeneratedImage) -> str:
    """The frame number of one image."""
    [same] = numbered(GeneratedImage.objects.filter(id=image.id))
    return frame_number(getattr(same, "ordinal", 1))
