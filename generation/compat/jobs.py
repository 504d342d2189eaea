"""What a client of another maker asked for, as requests of our own: one for each four pictures.

A repeat that the client's library sends by itself finds the first one's requests and is charged
once: it comes with the same key and body, so both get the same Idempotency-Key.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.cache import cache

from config.core.errors import ProofsheetError
from config.core.projects.calling import Caller
from config.core.projects.models import EndUser
from config.core.transitions import WrongState
from generation.models import GenerationRequest, RequestStatus
from generation.request_rules.parameters import COUNT_RANGE, SEED_MAX, RequestParameters
from generation.requests import idempotency, submitting
from generation.studio import own_requests

if TYPE_CHECKING:
    from config.models import ApiKey

REMEMBERED_S = 3600
PICTURES_MAX = 10


@dataclass(frozen=True, slots=True)
class Job:
    """The requests in order, and who asked for them by which key."""

    requests: tuple[GenerationRequest, ...]
    caller: Caller

    @property
    def ids(self) -> tuple[UUID, ...]:
        return tuple(request.id for request in self.requests)


def begin(
    parameters: RequestParameters,
    count: int,
    *,
    caller: Caller,
    at: datetime,
    idempotency_key: str = "",
    repeats: int = 0,
) -> Job:
    """Submit them for `count` pictures. `repeats` is how often the client has sent it before.

    Raises what `submitting.submit` raises; nothing is left running then.
    """
    key = caller.key
    assert key is not None, "nobody comes in here without one"
    orders = _parts(parameters, count)
    kept_under = _kept_under(orders, key, caller.end_user)
    name = _name(kept_under, key, idempotency_key, repeats)
    try:
        job = _submit(orders, name, caller=caller, at=at)
        if idempotency_key or not repeats or not _has_failed(job):
            return job
    except idempotency.RequestDeleted:
        if idempotency_key:
            raise
    return _submit(orders, _new_name(kept_under, key), caller=caller, at=at)


def _has_failed(job: Job) -> bool:
    """Whether a repeat should be made anew: what failed or was cancelled is charged to nobody."""
    over = (RequestStatus.FAILED, RequestStatus.CANCELLED)
    return all(request.status in over for request in job.requests)


def _submit(orders: list[RequestParameters], name: str, *, caller: Caller, at: datetime) -> Job:
    made: list[submitting.Submission] = []
    try:
        for place, part in enumerate(orders):
            key = f"{name}:{place}"
            made.append(
                submitting.submit(part, by=caller, at=at, idempotency_key=key, parts=len(orders))
            )
    except ProofsheetError:
        for each in made:
            if each.is_new:
                with suppress(WrongState):
                    own_requests.cancel(each.request.id, by=caller.user, at=at)
        raise
    return Job(tuple(each.request for each in made), caller)


def _parts(parameters: RequestParameters, count: int) -> list[RequestParameters]:
    """At most four pictures each, the seed counted on."""
    most, first = COUNT_RANGE[1], parameters.seed
    parts = [replace(parameters, count=min(most, count))]
    for begun in range(most, count, most):
        seed = None if first is None else (first + begun) % (SEED_MAX + 1)
        parts.append(replace(parameters, count=min(most, count - begun), seed=seed))
    return parts


def _name(kept_under: str, key: ApiKey, given: str, repeats: int) -> str:
    """Under which the requests are found again. One that the client gave is its project's own: the
    same in two projects is two requests."""
    if given:
        if len(given) > idempotency.KEY_MAX_CHARACTERS:
            raise idempotency.KeyTooLong
        return f"compat:{key.project_id}:{hashlib.sha256(given.encode()).hexdigest()}"
    if repeats and (kept := cache.get(kept_under)):
        return str(kept)
    return _new_name(kept_under, key)


def _new_name(kept_under: str, key: ApiKey) -> str:
    """Kept before the request is stored, so that a repeat that comes at once finds it too."""
    name = f"compat:{key.pk}:{secrets.token_hex(16)}"
    cache.set(kept_under, name, REMEMBERED_S)
    return name


def _kept_under(orders: list[RequestParameters], key: ApiKey, end_user: EndUser | None) -> str:
    """A library does not say which call it repeats: it is the newest with the same body for the
    same person."""
    body = "".join(part.sha256() for part in orders) + (str(end_user.pk) if end_user else "")
    return f"compat:sent:{key.pk}:{hashlib.sha256(body.encode()).hexdigest()}"
