"""What the pages show of images: frozen values between tables and templates."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from generation.conditions import init_images
from generation.gallery.picture_files import THUMBNAIL_WIDTHS
from generation.models import GeneratedImage, ImageState, Restriction, SourceState
from moderation.account_status import audiences

IMAGE_LABELS: dict[str, tuple[str, str]] = {
    ImageState.RELEASED: ("Released", "good"),
    ImageState.HELD: ("Held for review", "warn"),
    ImageState.WITHHELD: ("Withheld", "bad"),
    Restriction.BLURRED: ("Released, blurred", "warn"),
    Restriction.AGE_RESTRICTED: ("For adults", "warn"),
}


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
    def thumbnails(self) -> list[tuple[str, int]]:
        """Addresses of what a sheet shows of the file, each with its width, the smallest first."""
        widths = THUMBNAIL_WIDTHS if self.file_url else ()
        return [(reverse("generation:thumbnail", args=[self.id, w]), w) for w in widths]

    @property
    def is_deletable(self) -> bool:
        """A frame that a person is still to review stays until then."""
        return self.state != ImageState.HELD


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """The picture that an image started from; no `url` once it is erased. `is_in_part`: a mask said
    which part of it was painted anew."""

    strength: float
    is_own_image: bool
    url: str
    is_in_part: bool = False


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pages of the frames beside one in its owner's gallery; empty at the ends of the roll."""

    earlier_url: str
    later_url: str


def frame_number(ordinal: int) -> str:
    """Edge print of the n-th picture: 1, 1A, 2, 2A, … as on 35 mm film."""
    return f"{(ordinal + 1) // 2}{'' if ordinal % 2 else 'A'}"


def numbered(images: QuerySet[GeneratedImage]) -> QuerySet[GeneratedImage]:
    """Adds `ordinal`: how many images the owner had made by then, deleted ones included."""
    until = (
        GeneratedImage.objects.filter(project=OuterRef("project"))
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


def image_cards(images: Iterable[GeneratedImage], *, by: AbstractBaseUser) -> list[ImageCard]:
    """As `by` may see them; who is of age is asked only where a picture is for adults."""
    found = list(images)
    restricted = [image for image in found if image.restriction == Restriction.AGE_RESTRICTED]
    projects = {image.project_id: image.project for image in restricted}
    kept = {pk for pk, each in projects.items() if not audiences.may_have_adult(by, each)}
    return [_image_card(image, kept) for image in found]


def _image_card(image: GeneratedImage, kept: Set[UUID | None]) -> ImageCard:
    label, tone = IMAGE_LABELS[image.restriction or image.state]
    is_kept = image.restriction == Restriction.AGE_RESTRICTED and image.project_id in kept
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
    return MadeFrom(
        image.source["strength"],
        bool(image.source["image"]),
        url,
        is_in_part=bool(image.source.get("mask")),
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


def frame_of(image: GeneratedImage) -> str:
    """The frame number of one image."""
    [same] = numbered(GeneratedImage.objects.filter(id=image.id))
    return frame_number(getattr(same, "ordinal", 1))
