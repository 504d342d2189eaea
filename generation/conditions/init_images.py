"""The picture that a request starts from: taken in, screened, loaded for the engine, erased.

An upload is bounded and decoded before it is stored, screened before anything uses it, and handed
out to nobody but its owner. An own image needs none of that: it has passed already, and must still
be released when it is used.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models.fields.files import FieldFile
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from generation.conditions import masks
from generation.conditions.picture_shapes import reshaped
from generation.conditions.stored_uploads import StoredNames
from generation.conditions.wanted_images import WantedInitImage
from generation.models import (
    GenerationRequest,
    ImageState,
    SourcePicture,
    SourceState,
    private_storage,
)
from generation.request_rules.parameters import (
    MaskFill,
    ResizeMode,
    SentMask,
    SourceGone,
    SourceNotScreened,
)
from moderation.cases import review_cases
from provenance.manifests.content_credentials import Parent
from provenance.pictures import decoder

SHOWN_SIDE = 512


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
        Image.fromarray(decoder.read(self.data).pixels).save(out, "PNG")
        return Parent(out.getvalue(), "image/png")


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
        resize_mode=wanted.resize_mode,
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


def is_uploaded(request: GenerationRequest) -> bool:
    """Whether it starts from a picture that was not made here, and so may show a real person."""
    return SourcePicture.objects.filter(request=request, image=None).exists()


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
    mode: Any = source.resize_mode  # one of ResizeMode's, as a constraint holds
    shaped = partial(_shaped, size=(request.width, request.height), mode=mode)
    mask = mask_of(source)
    loaded = None
    if mask is not None:
        levels = shaped(masks.decoded(mask.data), resampling=Resampling.BILINEAR)
        loaded = LoadedMask(levels, mask.fill, mask.padding)
    pixels = shaped(picture.pixels, resampling=Resampling.LANCZOS)
    return Loaded(data, picture.mime, pixels, source.strength, source.sha256, loaded)


def _shaped(
    pixels: NDArray[np.uint8], *, size: tuple[int, int], mode: ResizeMode, resampling: Resampling
) -> NDArray[np.uint8]:
    return np.asarray(reshaped(Image.fromarray(pixels), size, mode, resampling))


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
