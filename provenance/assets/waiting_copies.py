"""Copies in another format that wait for their timestamp (RFC 3161), and get it later.

Whoever asks for a copy gets it at once, signed without a time: the request is somebody's download,
and no clock is asked in it. The copy is kept with the draft of its manifest; a task signs it once
more as soon as the timestamping authority answers, and that file is what later downloads get. The
original inside the copy has its own time all along.
"""

import logging
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import F

from provenance.manifests import signing_context
from provenance.manifests.content_credentials import SignedFile, SigningFailed
from provenance.models import Asset, Copy
from provenance.pictures.decoder import Mime

logger = logging.getLogger(__name__)
KEPT = timedelta(days=30)
"""For how long a copy is kept; one that is asked for later is made anew."""
MOST_AT_ONCE = 50


def find(asset_id: UUID, mime: Mime) -> bytes | None:
    """The kept copy, unless its signature is no longer worth what it was."""
    copy = Copy.objects.filter(asset_id=asset_id, mime=mime).first()
    if copy is None:
        return None
    data = bytes(copy.data)
    reading = signing_context.signer().read(data, mime)
    if reading.is_sound and reading.signature == "trusted":
        return data
    copy.delete()
    return None


def keep(signed: SignedFile, mime: Mime, *, asset_id: UUID, at: datetime) -> None:
    """Keep a copy until it is timestamped and for some time after, where somebody timestamps.

    Where that fails the download goes on without: it is logged, and the next one tries again.
    """
    if signing_context.timestamp_authority() is None:
        return
    copy = Copy(asset_id=asset_id, mime=mime, data=signed.data, draft=signed.draft, made_at=at)
    try:
        with transaction.atomic():
            assets = Asset.objects.select_for_update(no_key=True).filter(id=asset_id)
            if assets.values_list("id").first():  # it may have been erased meanwhile
                Copy.objects.bulk_create([copy], ignore_conflicts=True)  # two at once keep one
    except DatabaseError:
        logger.exception("a copy could not be kept")


def stamp(*, at: datetime) -> int:
    """Have the waiting copies timestamped, the oldest first; returns how many were.

    The first that is not ends it. Where the authority did answer, that one goes to the end of the
    line, so that it holds up nobody. Copies that were kept long enough go. Raises
    `KeysUnusable`.
    """
    Copy.objects.filter(made_at__lt=at - KEPT).delete()
    if signing_context.timestamp_authority() is None:
        return 0
    waiting = list(
        Copy.objects.filter(is_timestamped=False).order_by("attempts", "made_at")[:MOST_AT_ONCE]
    )
    for done, copy in enumerate(waiting):
        if not _stamp(copy):
            return done
    return len(waiting)


def _stamp(copy: Copy) -> bool:
    row = Copy.objects.filter(id=copy.id)  # updated, not saved: what was erased stays away
    draft, data, mime = bytes(copy.draft), bytes(copy.data), cast(Mime, copy.mime)
    try:
        signed = signing_context.signer().sign_again(draft, data, mime, asset_id=str(copy.asset_id))
    except SigningFailed:
        logger.exception("a copy could not be signed again")
        row.update(attempts=F("attempts") + 1)
        return False
    if signed is None:
        return False  # it did not answer: this copy stays the first in line
    if not signed.is_timestamped:
        row.update(attempts=F("attempts") + 1)
        return False
    row.update(data=signed.data, draft=b"", is_timestamped=True)
    return True
