"""The picture that a request starts from: taken in, screened, loaded for the engine, erased.

An upload is bounded and decoded before it is stored, screened before anything uses it, and handed
out to nobody but its owner. An own image needs none of that: it has passed already, and must still
be released when it is used.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import numpy as np
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import ContentFile
from django.db import transaction
from numpy.typing import NDArray
from PIL import Image

from config.core import disk_full
from config.core.errors import ProofsheetError
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    SourcePicture,
    SourceState,
    private_storage,
)
from generation.request_rules.parameters import RequestParameters, SourceGone, SourceNotScreened
from moderation.cases import review_cases
from provenance.manifests.content_credentials import Parent
from provenance.pictures import decoder

SHOWN_SIDE = 512


class SourceTooLarge(ProofsheetError):
    default_code = "source_too_large"
    default_status = 413
    default_message = "The picture to start from is a larger file than is taken."
    default_advice = "Make it smaller first: more than the model's own size has no effect."


class SourceNotFound(ProofsheetError):
    """Also what a stranger is told: whose image an id is, is its owner's business."""

    default_code = "source_not_found"
    default_status = 422
    default_message = "You have no released image with that id to start from."
    default_advice = "Choose one in your gallery, or upload a picture."


@dataclass(frozen=True, slots=True)
class WantedInitImage:
    """What a request is to start from, checked: an upload's `data`, or an own `image`."""

    strength: float
    sha256: str
    width: int
    height: int
    data: bytes | None = None
    image: GeneratedImage | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Ready for the engine (`pixels`) and for the signature (`data`)."""

    data: bytes
    mime: decoder.Mime
    pixels: NDArray[np.uint8]
    strength: float
    sha256: str

    @property
    def parent(self) -> Parent:
        """With whatever credentials the file came with."""
        return Parent(self.data, self.mime)

    @property
    def bare_parent(self) -> Parent:
        """The same picture without them, for where they cannot be kept."""
        out = io.BytesIO()
        Image.fromarray(self.pixels).save(out, "PNG")
        return Parent(out.getvalue(), "image/png")


def resolve(draft: RequestParameters, *, by: AbstractBaseUser) -> WantedInitImage | None:
    """What checked parameters start from, None for noise.

    Raises SourceTooLarge, SourceNotFound, PictureUnreadable.
    """
    if draft.strength is None:
        return None
    if draft.picture is not None:
        return _of_upload(draft.picture, draft.strength)
    assert draft.source_image is not None, "a checked draft with a strength has a source"
    released = GeneratedImage.objects.current_of(by).filter(
        state=ImageState.RELEASED, restriction="", deleted_at__isnull=True
    )
    image = released.filter(id=draft.source_image).exclude(file="").first()
    if image is None:
        raise SourceNotFound
    return WantedInitImage(draft.strength, image.sha256, image.width, image.height, image=image)


def _of_upload(data: bytes, strength: float) -> WantedInitImage:
    limit = settings.PROOFSHEET_SOURCE_MAX_BYTES
    if len(data) > limit:
        raise SourceTooLarge(message=f"The picture to start from is larger than {limit} bytes.")
    found = decoder.read(data)
    return WantedInitImage(
        strength, hashlib.sha256(data).hexdigest(), found.width, found.height, data=data
    )


@contextmanager
def stored(wanted: WantedInitImage | None) -> Iterator[str]:
    """The name under which an upload is stored, empty for anything else. Stored again nowhere: it
    is deleted when what is done inside fails. Raises disk_full.StorageFull."""
    if wanted is None or wanted.data is None:
        yield ""
        return
    storage, name = private_storage(), f"sources/{uuid4()}"
    try:
        with disk_full.writing():
            name = storage.save(name, ContentFile(wanted.data))
        yield name
    except BaseException:
        storage.delete(name)
        raise


def attach(
    request: GenerationRequest, wanted: WantedInitImage | None, *, name: str, at: datetime
) -> SourcePicture | None:
    """Write the row of a request's source, in the caller's transaction."""
    if wanted is None:
        return None
    return SourcePicture.objects.create(
        request=request,
        image=wanted.image,
        strength=wanted.strength,
        state=SourceState.UNSCREENED if wanted.image is None else SourceState.PASSED,
        file=name,
        sha256=wanted.sha256,
        width=wanted.width,
        height=wanted.height,
        created_at=at,
    )


def of_request(request: GenerationRequest) -> SourcePicture | None:
    """The row of what `request` starts from, None for noise; whether it passed is not asked."""
    return SourcePicture.objects.select_related("image").filter(request=request).first()


def load(request: GenerationRequest) -> Loaded | None:
    """What the worker starts `request` from, None for noise.

    Raises SourceNotScreened, SourceGone, PictureUnreadable.
    """
    source = request.starts_from
    if source is None:
        return None
    if source.state != SourceState.PASSED:
        raise SourceNotScreened
    data = read(source)
    picture = decoder.read(data)
    return Loaded(data, picture.mime, picture.pixels, source.strength, source.sha256)


def read(source: SourcePicture) -> bytes:
    """The bytes as they were taken in. Raises SourceGone."""
    image = source.image
    is_open = image is None or (image.state == ImageState.RELEASED and not image.restriction)
    if not is_open:
        raise SourceGone
    file = source.file if image is None else image.file
    if not file:
        raise SourceGone
    try:
        with file.open("rb") as opened:
            data: bytes = opened.read()
    except FileNotFoundError as error:
        raise SourceGone from error
    if hashlib.sha256(data).hexdigest() != source.sha256:
        raise SourceGone
    return data


def shown(source: SourcePicture) -> bytes:
    """A WebP for its owner's page, at most 512 pixels a side and without the file's metadata.

    Raises SourceGone, SourceNotScreened, PictureUnreadable.
    """
    if source.state != SourceState.PASSED:
        raise SourceNotScreened(
            message="The picture is shown once it has passed the screening.", advice=""
        )
    image = Image.fromarray(decoder.read(read(source)).pixels)
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=85)
    return out.getvalue()


def erase(request: GenerationRequest) -> None:
    """Erase an upload with its request, in the caller's transaction; the file goes on commit."""
    source = SourcePicture.objects.select_for_update().filter(request=request).first()
    if source is None or not source.file:
        return
    name, storage = str(source.file.name), source.file.storage
    source.erase()
    review_cases.withdraw_sampled("image", source.id)
    transaction.on_commit(lambda: storage.delete(name))


def stopped(request_ids: Iterable[UUID]) -> dict[UUID, SourcePicture]:
    """Sources that are held or refused, by their request."""
    states = (SourceState.HELD, SourceState.REFUSED)
    rows = SourcePicture.objects.filter(request__in=list(request_ids), state__in=states)
    return {row.request_id: row for row in rows}
