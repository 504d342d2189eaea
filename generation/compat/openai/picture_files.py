"""The picture of an edit: a form's file, or a `data:` URL in a JSON body. Nothing is fetched."""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from rest_framework import serializers

from config.core.api.json_bodies import StrictJSONParser
from config.core.errors import ProofsheetError

DATA_URL_MAX_CHARACTERS = 20_971_520
FILES = ("image", "image[]")


class PictureJSONParser(StrictJSONParser):
    """For bodies that hold a picture as a `data:` URL."""

    limit = DATA_URL_MAX_CHARACTERS + 1024 * 1024


class PictureNotInline(ProofsheetError):
    """An address of another host, or a file id: neither is fetched."""

    default_code = "image_url_not_inline"
    default_message = "Only data: URLs are taken; no address is fetched."
    default_advice = "Send the picture itself as data:image/png;base64,... or as a form's file."


class PictureTooLong(ProofsheetError):
    """More characters than a JSON body's picture may have."""

    default_code = "source_too_large"
    default_message = "It is longer than is taken."
    default_advice = f"Send at most {DATA_URL_MAX_CHARACTERS} characters, or a form's file."
    default_status = 413


class SeveralPictures(ProofsheetError):
    """OpenAI's models and A1111's batches take more; here none would be used but the first."""

    default_code = "several_pictures_not_supported"
    default_message = "Several pictures came, and every model here starts from one."
    default_advice = "Send the one to start from."
    default_status = 400


@dataclass(frozen=True, slots=True)
class EditFiles:
    """Of an edit: the picture, and the mask, if there is one."""

    picture: bytes
    mask: bytes | None = None


def taken_from(body: Any) -> tuple[EditFiles, Any]:
    """The files, and the body without them.

    Raises ValidationError, PictureNotInline, PictureTooLong, SeveralPictures.
    """
    if isinstance(body, QueryDict):
        return _of_form(body)
    if not isinstance(body, Mapping):
        raise serializers.ValidationError({"body": ["Send a JSON object or a form."]})
    images = body.get("images")
    if not isinstance(images, list) or not images:
        raise serializers.ValidationError({"images": ["Send one picture: [{image_url: …}]."]})
    if len(images) > 1:
        raise SeveralPictures
    mask = body.get("mask")
    rest = {name: value for name, value in body.items() if name not in ("images", "mask")}
    picture = _inline("images", images[0])
    return EditFiles(picture, None if mask is None else _inline("mask", mask)), rest


def _inline(param: str, image: Any) -> bytes:
    """Of `{image_url: "data:…"}`."""
    if not isinstance(image, Mapping) or not isinstance(image.get("image_url"), str):
        raise PictureNotInline(message=f"{param}: {PictureNotInline.default_message}")
    return bytes_of(image["image_url"], param=param)


def bytes_of(url: str, *, param: str = "image_url") -> bytes:
    """What a `data:` URL holds. Raises PictureNotInline, PictureTooLong, ValidationError."""
    if not url[:5].lower() == "data:":
        raise PictureNotInline(message=f"{param}: {PictureNotInline.default_message}")
    if len(url) > DATA_URL_MAX_CHARACTERS:
        raise PictureTooLong(message=f"{param}: {PictureTooLong.default_message}")
    head, comma, text = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise serializers.ValidationError({param: ["Write data:image/png;base64,…"]})
    return decoded(text, param=param)


def decoded(text: str, *, param: str) -> bytes:
    """Base64, with or without its padding. Raises ValidationError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise serializers.ValidationError({param: ["It is no base64."]}) from error


def _of_form(body: QueryDict) -> tuple[EditFiles, QueryDict]:
    rest = copy.copy(body)  # a deep one would copy files, and those on disk cannot be
    masks = [part for part in rest.pop("mask", []) if part or isinstance(part, UploadedFile)]
    files: list[Any] = [part for name in FILES for part in rest.pop(name, [])]
    if not files:
        raise serializers.ValidationError({"image": ["Send the picture as a file of the form."]})
    if len(files) > 1:
        raise SeveralPictures
    picture = _file("image", files)
    return EditFiles(picture, _file("mask", masks) if masks else None), rest


def _file(name: str, parts: list[Any]) -> bytes:
    """The bytes of the one file of that name. Raises ValidationError."""
    if not all(isinstance(part, UploadedFile) for part in parts):
        raise serializers.ValidationError({name: ["Send it as a file of the form."]})
    if len(parts) > 1:
        raise serializers.ValidationError({name: ["It comes more than once; send it once."]})
    data: bytes = parts[0].read(settings.PROOFSHEET_SOURCE_MAX_BYTES + 1)
    return data
