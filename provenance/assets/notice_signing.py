"""Signs pictures that the house draws to say something: words and a code, made by no model."""

from datetime import datetime

from django.conf import settings

from provenance.manifests.definition import ManifestClaim
from provenance.manifests.signing_context import signer


def signed(png: bytes, *, at: datetime) -> bytes:
    """The PNG with Content Credentials that say what it is. Raises SigningFailed, KeysUnusable."""
    claim = ManifestClaim(
        asset_id="",
        system_name=settings.PROOFSHEET_SYSTEM_NAME,
        system_version=settings.PROOFSHEET_VERSION,
        model="",
        created_at=at,
        watermark_id="",
        is_notice=True,
    )
    return signer().sign(png, "image/png", claim=claim, is_timed=False).data
