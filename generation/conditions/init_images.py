"""The picture that a request starts from: taken in, screened, loaded for the engine, erased.

An upload is bounded and decoded before it is stored, screened before anything uses it, and handed
out to nobody but its owner. An own image needs none of that: it has passed already, and must still
be released when it is used.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.fields.files import FieldFile
from numpy.typing import NDArray
from PIL import Image

from config.core import disk_full
from config.core.errors import ProofsheetError
from generation.conditions import masks
from generation.conditions.masks import WantedMask
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    SourcePicture,
    SourceState,
    private_storage,
)
from generation.request_rules.parameters import (
    MaskFill,
    RequestParameters,
    SentMask,
    SourceGone,
    SourceNotScreened,
)
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
    mask: WantedMask | None = None


@dataclass(frozen=True, slots=True)
class LoadedMask:
    """`levels` uint8 [H, W], white for what is painted anew."""

    levels: NDArray[np.uint8]
    fill: MaskFill
    padding: int | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Ready for the engine (`pixels`) and for the signature (`data`)."""

    data: bytes
    mime: decoder.Mime
    pixels: NDArray[np.uint8]
    strength: float
    sha256: str
    mask: LoadedMask | None = None

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


def resolve(
    parameters: RequestParameters, *, by: AbstractBaseUser, size: tuple[int, int]
) -> WantedInitImage | None:
    """What checked parameters start from, None for noise; `size` is what is delivered.

    Raises SourceTooLarge, SourceNotFound, PictureUnreadable, and what `masks.resolve` raises.
    """
    if parameters.strength is None:
        return None
    if parameters.picture is not None:
        found = _of_upload(parameters.picture, parameters.strength)
    else:
        found = _of_own_image(parameters, parameters.strength, by=by)
    if parameters.mask is None:
        return found
    mask = masks.resolve(parameters.mask, picture=(found.width, found.height), delivered=size)
    return replace(found, mask=mask)


def _of_own_image(
    parameters: RequestParameters, strength: float, *, by: AbstractBaseUser
) -> WantedInitImage:
    assert parameters.source_image is not None, "checked parameters with a strength have a source"
    released = GeneratedImage.objects.current_of(by).filter(
        state=ImageState.RELEASED, restriction="", deleted_at__isnull=True
    )
    image = released.filter(id=parameters.source_image).exclude(file="").first()
    if image is None:
        raise SourceNotFound
    return WantedInitImage(strength, image.sha256, image.width, image.height, image=image)


def _of_upload(data: bytes, strength: float) -> WantedInitImage:
    limit = settings.PROOFSHEET_SOURCE_MAX_BYTES
    if len(data) > limit:
        raise SourceTooLarge(message=f"The picture to start from is larger than {limit} bytes.")
    found = decoder.read(data)
    return WantedInitImage(
        strength, hashlib.sha256(data).hexdigest(), found.width, found.height, data=data
    )


@dataclass(frozen=True, slots=True)
class StoredNames:
    """Of files in the private storage; empty where there is none."""

    picture: str = ""
    mask: str = ""


@contextmanager
def stored(wanted: WantedInitImage | None) -> Iterator[StoredNames]:
    """The names under which an upload and a mask are stored. Stored again nowhere: they are deleted
    when what is done inside fails. Raises disk_full.StorageFull."""
    with ExitStack() as kept:
        yield StoredNames(
            picture=kept.enter_context(_stored(wanted.data if wanted else None)),
            mask=kept.enter_context(_stored(wanted.mask.data if wanted and wanted.mask else None)),
        )


@contextmanager
def _stored(data: bytes | None) -> Iterator[str]:
    if data is None:
        yield ""
        return
    storage, name = private_storage(), f"sources/{uuid4()}"
    try:
        with disk_full.writing():
            name = storage.save(name, ContentFile(data))
        yield name
    except BaseException:
        storage.delete(name)
        raise


def attach(
    request: GenerationRequest,
    wanted: WantedInitImage | None,
    *,
    names: StoredNames,
    at: datetime,
) -> SourcePicture | None:
    """Write the row of a request's source, in the caller's transaction."""
    if wanted is None:
        return None
    return SourcePicture.objects.create(
        request=request,
        image=wanted.image,
        strength=wanted.strength,
        state=SourceState.UNSCREENED if wanted.image is None else SourceState.PASSED,
        file=names.picture,
        sha256=wanted.sha256,
        width=wanted.width,
        height=wanted.height,
        mask=names.mask,
        mask_sha256=wanted.mask.sha256 if wanted.mask else "",
        mask_fill=wanted.mask.fill if wanted.mask else "",
        mask_padding=wanted.mask.padding if wanted.mask else None,
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
    mask = mask_of(source)
    loaded = None
    if mask is not None:
        loaded = LoadedMask(masks.decoded(mask.data), mask.fill, mask.padding)
    return Loaded(data, picture.mime, picture.pixels, source.strength, source.sha256, loaded)


def mask_of(source: SourcePicture) -> SentMask | None:
    """The mask that a request came with, as it is kept. Raises SourceGone."""
    if not source.mask_sha256:
        return None
    if not source.mask:
        raise SourceGone
    data = _intact(source.mask, source.mask_sha256)
    fill: Any = source.mask_fill  # one of MaskFill's, as a constraint holds
    return SentMask(data, fill=fill, padding=source.mask_padding)


def read(source: SourcePicture) -> bytes:
    """The bytes as they were taken in. Raises SourceGone."""
    image = source.image
    is_open = image is None or (image.state == ImageState.RELEASED and not image.restriction)
    if not is_open:
        raise SourceGone
    file = source.file if image is None else image.file
    if not file:
        raise SourceGone
    return _intact(file, source.sha256)


def _intact(file: FieldFile, sha256: str) -> bytes:
    try:
        with file.open("rb") as opened:
            data: bytes = opened.read()
    except FileNotFoundError as error:
        raise SourceGone from error
    if hashlib.sha256(data).hexdigest() != sha256:
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
    """Erase an upload and a mask with their request, in the caller's transaction; the files go on
    commit."""
    source = SourcePicture.objects.select_for_update().filter(request=request).first()
    if source is None or not (source.file or source.mask):
        return
    names = [str(file.name) for file in source.files]
    source.erase()
    review_cases.withdraw_sampled("image", source.id)
    for name in names:
        transaction.on_commit(partial(private_storage().delete, name))


def stopped(request_ids: Iterable[UUID]) -> dict[UUID, SourcePicture]:
    """Sources that are held or refused, by their request."""
    states = (SourceState.HELD, SourceState.REFUSED)
    rows = SourcePicture.objects.filter(request__in=list(request_ids), state__in=states)
    return {row.request_id: row for row in rows}
