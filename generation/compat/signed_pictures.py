"""Addresses that open one released picture to whoever holds them, for a while, without a key.

Signed, not stored: a picture that is deleted, withheld or restricted meanwhile is not found. One
that was restricted already when the address was given is, while keys may have it.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.urls import reverse

from config.core.errors import ProofsheetError
from generation.models import GeneratedImage, ImageState, Restriction
from moderation.account_status import audiences
from provenance.assets import transcode

GOOD_FOR = timedelta(hours=2)
_SALT = "generation.compat.signed_pictures"


class PictureAddressOver(ProofsheetError):
    """Mistyped, older than it is good for, or of a picture that is not shown any more."""

    default_code = "picture_address_over"
    default_message = "There is no picture at this address any more."
    default_advice = "Ask for it anew with your key: the gallery and the API keep it."
    default_status = 404


def path_of(image: GeneratedImage, output_format: str) -> str:
    """A path that nobody else can make up."""
    token = signing.dumps([image.id.hex, output_format, image.restriction], salt=_SALT)
    return reverse("openai:picture", args=[token])


def find(token: str) -> tuple[GeneratedImage, str]:
    """The picture, and the format that it was asked for in. Raises PictureAddressOver."""
    try:
        said = signing.loads(token, salt=_SALT, max_age=GOOD_FOR)
    except signing.BadSignature as error:
        raise PictureAddressOver from error
    image_hex, output_format, *given = said  # none of the release before names the third
    rows = GeneratedImage.objects.select_related("project")
    image = rows.filter(
        id=UUID(image_hex), state=ImageState.RELEASED, deleted_at__isnull=True
    ).first()
    if image is None or not image.file or _is_kept(image, given):
        raise PictureAddressOver
    assert output_format in transcode.FORMATS, "it was checked before it was signed"
    return image, output_format


def _is_kept(image: GeneratedImage, given: list[str]) -> bool:
    """Whether it was restricted since, or is for adults where keys have no such pictures."""
    if image.restriction and image.restriction not in given:
        return True
    is_for_adults = image.restriction == Restriction.AGE_RESTRICTED
    return is_for_adults and not audiences.may_keys_have_adult(image.project, image.owner_id)
