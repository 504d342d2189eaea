"""The bytes of an image as its owner gets them: whole, small, or several in one archive."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

from django.utils import timezone
from PIL import Image

from generation.models import GeneratedImage
from moderation.subjects import blurring
from provenance.assets import transcode
from provenance.manifests.definition import SUFFIXES
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime

THUMBNAIL_WIDTHS = (256, 512)
THUMBNAIL_QUALITY = 80  # of 100, WebP's


def of_image(image: GeneratedImage, mime: Mime = "image/png") -> tuple[bytes, Mime]:
    """The stored PNG or a signed copy in another format; a blurred stand-in, always PNG, until its
    owner chooses to see it. Raises what `transcode.in_format` raises."""
    with image.file.open("rb") as file:
        data = file.read()
    if image.is_blurred:
        return blurring.blurred(data), "image/png"
    return transcode.in_format(data, mime, asset_id=image.id, at=timezone.now()), mime


def thumbnail(image: GeneratedImage, width: int) -> bytes:
    """WebP of at most `width` by `width` pixels, for a page alone: it carries the watermark that is
    in the pixels, and no manifest."""
    data, _ = of_image(image)
    small = Image.fromarray(decoder.read(data).pixels)
    small.thumbnail((width, width), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "WEBP", quality=THUMBNAIL_QUALITY)
    return out.getvalue()


def archive(images: Iterable[GeneratedImage]) -> bytes:
    """ZIP of the files as they were signed, credentials and all."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as files:  # they are compressed already
        for image in images:
            data, mime = of_image(image)
            files.writestr(file_name(image, mime), data)
    return out.getvalue()


def file_name(image: GeneratedImage, mime: Mime) -> str:
    """What a download is called."""
    return f"proofsheet-{image.id}.{SUFFIXES[mime]}"
