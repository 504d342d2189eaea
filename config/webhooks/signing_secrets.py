"""An endpoint's secrets: made, changed with an overlap, and opened to sign with."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from config.core.errors import ProofsheetError
from config.core.secrets.seal import Seal
from config.webhooks.models import Delivery, Endpoint, SigningSecret
from config.webhooks.standard import signatures
from config.webhooks.standard.signatures import SigningKey

OVERLAP = timedelta(hours=24)
_SEAL = Seal(b"proofsheet: webhooks")
_MOST_AT_ONCE = 3


class RotatedTooOften(ProofsheetError):
    """Each secret adds a signature to every delivery."""

    default_code = "webhook_secret_rotated_too_often"
    default_message = f"This endpoint has {_MOST_AT_ONCE} secrets that still sign."
    default_advice = "Wait until the oldest has ended: a day after it was replaced."
    default_status = 409


def make(endpoint: Endpoint, *, at: datetime) -> str:
    """A new secret that signs from now on: what its receiver is given, which is shown this once.

    Those of before sign beside it for a day. Raises RotatedTooOften. In the caller's transaction,
    with the endpoint's row locked.
    """
    good = _good(endpoint, at=at)
    if good.count() >= _MOST_AT_ONCE:
        raise RotatedTooOften
    good.filter(ends_at=None).update(ends_at=at + OVERLAP)
    key = signatures.new_key("v1a" if endpoint.scheme == Endpoint.Scheme.ED25519 else "v1")
    SigningSecret.objects.create(endpoint=endpoint, sealed=_SEAL.close(key.raw), made_at=at)
    return key.told


def keys_of(endpoint: Endpoint, *, at: datetime) -> list[SigningKey]:
    """What signs now, the newest first."""
    scheme: signatures.Scheme = "v1a" if endpoint.scheme == Endpoint.Scheme.ED25519 else "v1"
    rows = _good(endpoint, at=at).order_by("-made_at", "-id")
    return [SigningKey(scheme, _SEAL.open(row.sealed)) for row in rows]


def public_keys_of(endpoint: Endpoint, *, at: datetime) -> list[str]:
    """The public halves where key pairs sign; of shared secrets nothing is ever shown again."""
    if endpoint.scheme != Endpoint.Scheme.ED25519:
        return []
    return [key.told for key in keys_of(endpoint, at=at)]


def headers_of(
    row: Delivery, body: bytes, *, keys: list[SigningKey], at: datetime
) -> dict[str, str]:
    """What goes with one attempt."""
    signed = signatures.headers(row.event_id, body, keys=keys, at=at)
    return {"Content-Type": "application/json", **signed}


def _good(endpoint: Endpoint, *, at: datetime) -> QuerySet[SigningSecret]:
    return endpoint.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at))
