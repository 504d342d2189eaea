"""Taking a request in: it is resolved, admitted, and its rows are created."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from config.core.projects import calling
from config.core.watching.instruments import ADMISSIONS_REFUSED, bounded
from generation.capacity import estimates
from generation.conditions import stored_uploads
from generation.models import GenerationRequest
from generation.request_rules.parameters import RequestParameters
from generation.request_rules.priority_classes import PriorityClass
from generation.requests import (
    admission,
    creation,
    idempotency,
    project_limits,
    resolving,
    storage_room,
)
from moderation.account_status import end_user_standing, restrictions
from moderation.public_notices import addresses


@dataclass(frozen=True, slots=True)
class Submission:
    """`is_new` is false when an Idempotency-Key brought back an earlier request."""

    request: GenerationRequest
    is_new: bool


def submit(
    parameters: RequestParameters,
    *,
    by: AbstractBaseUser | calling.Caller,
    at: datetime,
    idempotency_key: str | None = None,
    parts: int = 1,
    is_live: bool = False,
) -> Submission:
    """Check them, store a request and send it to be screened. Nothing is rendered before that.

    A request of the live page waits for a render worker at once, which screens its prompt itself
    while the first steps are taken. `by` may be a whole caller; `parts` says of how many requests
    the order is. Raises what `requests.idempotency`, `.resolving`, `.admission` and `.storage_room`
    raise, AccountSuspended, EndUserSuspended, ProjectClosed.
    """
    caller = calling.as_caller(by)
    before = partial(idempotency.earlier, idempotency_key, parameters, caller=caller, parts=parts)
    if earlier := before():
        return Submission(earlier, is_new=False)
    _check_may_ask(caller, at=at)
    storage_room.require(at=at)
    wanted = resolving.resolve(parameters, by=caller.user, is_live=is_live)
    tier, expected = admission.expectation(wanted, at=at)
    project_limits.check(wanted, tier=tier, of=caller.project)
    try:
        with _admitted(wanted, tier, expected, caller=caller, at=at) as names:
            request = creation.create(
                wanted,
                caller=caller,
                priority=tier.priority,
                predicted_ms=expected.device_ms,
                at=at,
                is_live=is_live,
                names=names,
            )
            idempotency.keep(idempotency_key, parameters, request, at=at, parts=parts)
    except (IntegrityError, admission.TooMuch) as error:
        # Two equal submissions at once: the unique key let one in, the other answers with it.
        if earlier := before():
            return Submission(earlier, is_new=False)
        if isinstance(error, admission.TooMuch):
            ADMISSIONS_REFUSED.labels(bounded("code", error.code)).inc()
        raise
    return Submission(request, is_new=True)


@contextmanager
def _admitted(
    wanted: resolving.ResolvedRequest,
    tier: PriorityClass,
    expected: estimates.Estimate,
    *,
    caller: calling.Caller,
    at: datetime,
) -> Iterator[stored_uploads.StoredNames]:
    """A transaction in which it is this one's turn to be let in, with what it brought stored."""
    admit = partial(admission.admit, caller, expected, tier, count=wanted.parameters.count, at=at)
    if wanted.source is not None:
        admit()  # before its file is stored
    with stored_uploads.stored(wanted.source) as names, transaction.atomic():
        admission.take_turn(caller)
        admit()
        yield names


def _check_may_ask(caller: calling.Caller, *, at: datetime) -> None:
    """Raises ProjectClosed, AccountSuspended, EndUserSuspended."""
    if caller.project.closed_at is not None:
        raise calling.ProjectClosed
    restrictions.check(caller.user.pk, at=at)
    end_user_standing.check(caller.end_user, at=at, told_at=addresses.address_of)


def estimate(
    parameters: RequestParameters, *, by: AbstractBaseUser, at: datetime
) -> estimates.Estimate:
    """What `submit` would do with them now, without doing it. Raises what it raises, but for
    the limits of `admission.admit`."""
    _, expected = admission.expectation(resolving.resolve(parameters, by=by), at=at)
    return expected
