"""A refusal or a hold as a picture, for keys whose clients show a person nothing else."""

from __future__ import annotations

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from config.core.errors import ProofsheetError
from generation.compat.jobs import Job
from generation.compat.safety_refusals import HeldForReview, SafetyRefusal
from generation.compat.signed_pictures import GOOD_FOR, PictureAddressOver
from moderation.public_notices import refusal_card

Stopped = SafetyRefusal | HeldForReview
_SALT = "generation.compat.refusal_cards"


def is_wanted(job: Job, error: ProofsheetError) -> bool:
    """Whether the key that asked has its refusals shown, and this is one that can be."""
    key = job.caller.key
    return isinstance(error, Stopped) and key is not None and key.shows_cards


def token_of(error: Stopped, job: Job) -> str:
    """What a card says, signed: it is drawn for whoever holds it, for as long as a picture."""
    first = job.requests[0]
    least, most = refusal_card.SIDE_MIN, refusal_card.SIDE_MAX
    size = [max(least, min(side, most)) for side in (first.width, first.height)]
    return signing.dumps([error.kind, error.reason, error.address, error.issuer, *size], salt=_SALT)


def path_of(token: str) -> str:
    """Where it is drawn."""
    return reverse("openai:card", args=[token])


def drawn(token: str) -> bytes:
    """PNG. Raises PictureAddressOver."""
    try:
        kind, reason, address, issuer, width, height = signing.loads(
            token, salt=_SALT, max_age=GOOD_FOR
        )
    except signing.BadSignature as error:
        raise PictureAddressOver from error
    return refusal_card.draw(
        kind=kind,
        reason=reason,
        address=address,
        issuer=issuer,
        width=width,
        height=height,
        at=timezone.now(),
    )
