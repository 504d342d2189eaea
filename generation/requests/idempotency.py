"""Idempotency keys: the same submission sent twice is one request.

The names follow the IETF draft "The Idempotency-Key HTTP Header Field".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from django.db.models import QuerySet

from config.core import retention
from config.core.errors import ProofsheetError
from config.core.holds import asking
from config.core.projects.calling import Caller
from generation.models import GenerationRequest, IdempotencyKey
from generation.request_rules.parameters import RequestParameters

KEY_MAX_CHARACTERS = 200
KEPT_FOR = timedelta(hours=24)


class KeyReused(ProofsheetError):
    default_code = "idempotency_key_reused"
    default_status = 422
    default_message = "That Idempotency-Key was already used for a different request."
    default_advice = "Send a new key with a new request."


class RequestDeleted(ProofsheetError):
    default_code = "request_deleted"
    default_status = 410
    default_message = "The request that was sent under this Idempotency-Key has been deleted."
    default_advice = "To make it anew, send it under a new key, or from a fresh form."


class KeyTooLong(ProofsheetError):
    default_code = "idempotency_key_too_long"
    default_status = 422
    default_message = f"The Idempotency-Key is longer than {KEY_MAX_CHARACTERS} characters."
    default_advice = "A UUID makes a good key."


def earlier(
    key: str | None, parameters: RequestParameters, *, caller: Caller, parts: int = 1
) -> GenerationRequest | None:
    """The project's request that came under that key before, for the same end user, of an order in
    so many `parts`. The key names what is made: how a picture is then encoded is each call's own.

    Raises KeyTooLong, KeyReused, RequestDeleted.
    """
    if not key:
        return None
    if len(key) > KEY_MAX_CHARACTERS:
        raise KeyTooLong
    rows = IdempotencyKey.objects.select_related("request__model")
    row = rows.filter(project=caller.project, key=key).first()
    if row is None:
        return None
    if row.request.deleted_at is not None:
        raise RequestDeleted
    is_theirs = row.request.end_user_id == (caller.end_user.pk if caller.end_user else None)
    if not is_theirs or row.body_sha256 != _digest(parameters, parts):
        raise KeyReused
    return row.request


def keep(
    key: str | None,
    parameters: RequestParameters,
    request: GenerationRequest,
    *,
    at: datetime,
    parts: int = 1,
) -> None:
    """Raises IntegrityError where another submission under the same key came first."""
    if key:
        IdempotencyKey.objects.create(
            owner_id=request.owner_id,
            project_id=request.project_id,
            key=key,
            body_sha256=_digest(parameters, parts),
            request=request,
            created_at=at,
        )


def forget(*, at: datetime) -> int:
    """Delete the keys of a day ago; how many."""
    return retention.in_batches(lambda: _over(at))


def due(*, at: datetime) -> int:
    """How many would go."""
    return _over(at).count()


def _over(at: datetime) -> QuerySet[IdempotencyKey]:
    rows = IdempotencyKey.objects.filter(created_at__lt=at - KEPT_FOR)
    return asking.without_held(rows, at=at, account="owner", project="project", thing="request")


def _digest(parameters: RequestParameters, parts: int) -> str:
    """Of what was asked for: the first part of an order of six pictures is that of four pictures,
    and still another order."""
    own = parameters.sha256()
    return own if parts == 1 else sha256(f"{own} in {parts}".encode()).hexdigest()
