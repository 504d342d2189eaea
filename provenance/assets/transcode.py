"""A marked picture in another format, with its credentials: a copy whose parent is the original.

The log's entry is about the original. The copy names the same asset, carries the same watermark,
and keeps the original's manifest inside, so all five marks of it still answer.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.conf import settings

from config.core.errors import ProofsheetError
from provenance.assets import marking, waiting_copies
from provenance.log import own_keys
from provenance.manifests.content_credentials import SignedFile
from provenance.manifests.definition import ManifestClaim, Parent
from provenance.manifests.signing_context import signer
from provenance.marks import perceptual_match
from provenance.models import Asset
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime

FORMATS: dict[str, Mime] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


class FormatNotOffered(ProofsheetError):
    """A format that no copy is made in."""

    default_code = "format_not_offered"
    default_message = "The picture is not offered in that format."
    default_advice = f"Ask for one of: {', '.join(FORMATS)}."
    default_status = 422


def mime_of(name: str) -> Mime:
    """The format that somebody asks for by name. Raises `FormatNotOffered`."""
    try:
        return FORMATS[name]
    except KeyError as error:
        raise FormatNotOffered from error


def in_format(data: bytes, mime: Mime, *, asset_id: UUID, at: datetime) -> bytes:
    """The signed file itself where it has that format, else a signed copy: one that is kept, or a
    new one, which gets its timestamp later (`copies`).

    Raises:
        KeysForeign, KeysMissing: the keys here are not this house's.
        FormatNotOffered: nothing is recorded about the picture, so a copy could not be signed.
        SigningFailed: the copy could not be signed, or did not verify afterwards.
    """
    if decoder.mime_of(data) == mime:
        return data
    asset = _asset(asset_id)
    if (kept := waiting_copies.find(asset_id, mime)) is not None:
        return kept
    signed = _signed(data, mime, asset, at=at)
    waiting_copies.keep(signed, mime, asset_id=asset_id, at=at)
    return signed.data


def with_more(
    data: bytes, more: Callable[[bytes], bytes], *, asset_id: UUID, at: datetime
) -> bytes:
    """A signed PNG copy in which stands what `more` puts into it, before it is signed. It is kept
    nowhere: what stands in it is for whoever asked. Raises as `in_format`.
    """
    return _signed(data, "image/png", _asset(asset_id), at=at, more=more).data


def _asset(asset_id: UUID) -> Asset:
    asset = Asset.objects.filter(id=asset_id).first()
    if asset is None:
        raise FormatNotOffered(advice="Take it as it is: its record was erased.")
    own_keys.require()
    return asset


def _signed(
    data: bytes,
    mime: Mime,
    asset: Asset,
    *,
    at: datetime,
    more: Callable[[bytes], bytes] | None = None,
) -> SignedFile:
    picture = decoder.read_whole(data)
    claim = ManifestClaim(
        asset_id=str(asset.id),
        system_name=asset.system_name,
        system_version=asset.system_version,
        model=asset.system_model,
        created_at=asset.created_at,
        watermark_id=asset.watermark_id,
        provider=asset.provider,
        aigc_producer=settings.PROOFSHEET_AIGC_PRODUCER,
        is_altered=asset.is_altered,
        image_code=asset.image_code,
        is_observed=asset.is_observed,
        converted_at=at,
        has_same_format=picture.mime == mime,
    )
    encoded = marking.encode(picture.pixels, mime)
    return signer().sign(
        encoded if more is None else more(encoded),
        mime,
        claim=claim,
        parent=Parent(data, picture.mime, "The original of this copy"),
        thumbnail=perceptual_match.thumbnail(picture.pixels),
        is_timed=False,  # nobody waits for a clock to get a copy
        has_draft=more is None,
    )
