"""Taking a request in: its draft is checked, admitted, stored and sent to be screened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from adapters.access import visibility
from adapters.models import BaseModel
from config.core import events
from config.core.errors import ProofsheetError
from config.core.ttl_cache import remembered
from generation.capacity import estimates
from generation.conditions import init_images
from generation.models import GenerationRequest, IdempotencyKey
from generation.request_rules.parameters import (
    RequestParameters,
    SizeNotOffered,
    StrengthTooLow,
    check,
)
from generation.request_rules.priority_classes import PriorityClass
from generation.requests import admission, creation, fair_queue
from generation.requests.creation import ResolvedRequest
from moderation.account_status import restrictions
from provenance.assets import label_choices

KEY_MAX_CHARACTERS = 200
LIVE_UPSCALE = 2
_find_model = remembered(visibility.find_model)


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


@dataclass(frozen=True, slots=True)
class Submission:
    """`is_new` is false when an Idempotency-Key brought back an earlier request."""

    request: GenerationRequest
    is_new: bool


def submit(
    draft: RequestParameters,
    *,
    by: AbstractBaseUser,
    at: datetime,
    idempotency_key: str | None = None,
    is_live: bool = False,
) -> Submission:
    """Check a draft, store it and send it to be screened. Nothing is rendered before that.

    A request of the live page waits for a render worker at once, which screens its prompt itself
    while the first steps are taken.
    Raises the named errors of `request_rules.parameters`, `adapters.access.visibility`,
    `conditions.init_images` and `requests.admission`, KeyReused, KeyTooLong, RequestDeleted,
    AccountSuspended.
    """
    if idempotency_key and len(idempotency_key) > KEY_MAX_CHARACTERS:
        raise KeyTooLong
    if idempotency_key and (earlier := _earlier(draft, by=by, key=idempotency_key)):
        return Submission(earlier, is_new=False)
    restrictions.check(by.pk, at=at)
    wanted = _resolve(draft, by=by)
    if is_live:
        wanted = replace(wanted, size=_live_size(wanted))
    tier, expected = _expectation(wanted, at=at)
    admission.admit(by, expected, tier, count=wanted.draft.count, at=at)
    try:
        request = _store(wanted, tier, expected, by=by, key=idempotency_key, is_live=is_live, at=at)
    except IntegrityError:
        # Two equal submissions at once: the unique key let one in, the other answers with it.
        if idempotency_key and (earlier := _earlier(draft, by=by, key=idempotency_key)):
            return Submission(earlier, is_new=False)
        raise
    return Submission(request, is_new=True)


def _store(
    wanted: ResolvedRequest,
    tier: PriorityClass,
    expected: estimates.Estimate,
    *,
    by: AbstractBaseUser,
    key: str | None,
    is_live: bool,
    at: datetime,
) -> GenerationRequest:
    """The request's rows and its upload, and whoever works on it next is told."""
    with init_images.stored(wanted.source) as name, transaction.atomic():
        request = creation.create(
            wanted,
            owner_id=by.pk,
            priority=tier.priority,
            predicted_ms=expected.device_ms,
            at=at,
            is_live=is_live,
            source_name=name,
        )
        if key:
            _keep_key(key, wanted.draft, request, at=at)
        if is_live:
            fair_queue.send_ticket_for(request)
        else:
            send_to_screening(request.id)
    return request


def estimate(draft: RequestParameters, *, by: AbstractBaseUser, at: datetime) -> estimates.Estimate:
    """What `submit` would do with this draft now, without doing it. Raises what it raises, but for
    the limits of `generation.requests.admission`."""
    _, expected = _expectation(_resolve(draft, by=by), at=at)
    return expected


def _earlier(
    draft: RequestParameters, *, by: AbstractBaseUser, key: str
) -> GenerationRequest | None:
    row = (
        IdempotencyKey.objects.select_related("request__model")
        .filter(owner_id=by.pk, key=key)
        .first()
    )
    if row is None:
        return None
    if row.request.deleted_at is not None:
        raise RequestDeleted
    if row.body_sha256 != draft.sha256():
        raise KeyReused
    return row.request


def _keep_key(
    key: str, draft: RequestParameters, request: GenerationRequest, *, at: datetime
) -> None:
    IdempotencyKey.objects.create(
        owner_id=request.owner_id,
        key=key,
        body_sha256=draft.sha256(),
        request=request,
        created_at=at,
    )


def _resolve(draft: RequestParameters, *, by: AbstractBaseUser) -> ResolvedRequest:
    checked = check(draft)
    model = _find_model(checked.model)
    wanted = ResolvedRequest(
        draft=checked,
        model=model,
        size=_size(checked, model),
        steps=model.default_steps if checked.steps is None else checked.steps,
        guidance=model.default_guidance if checked.guidance is None else checked.guidance,
        adapters=[
            (visibility.find_adapter(slug, by=by, base_model=model), weight)
            for slug, weight in checked.adapters
        ],
        source=init_images.resolve(checked, by=by),
        label=label_choices.chosen(checked.visible_label, checked.visible_label_text),
    )
    if wanted.taken_steps < 1:
        raise StrengthTooLow
    return wanted


def _size(draft: RequestParameters, model: BaseModel) -> tuple[int, int]:
    width, height = model.default_size
    width = width if draft.width is None else draft.width
    height = height if draft.height is None else draft.height
    if not model.can_deliver(width, height):
        offered = ", ".join(f"{w}×{h}" for w, h in model.sizes)
        raise SizeNotOffered(
            message=f"{model.name} cannot make images of {width}×{height} pixels.",
            advice=f"Choose one of: {offered}.",
        )
    return width, height


def _live_size(wanted: ResolvedRequest) -> tuple[int, int]:
    """No more than twice what the model draws: what is seen larger, the browser enlarges as well,
    and marking and screening wait for fewer pixels."""
    times = max(1, wanted.model.upscale // LIVE_UPSCALE)
    return wanted.size[0] // times, wanted.size[1] // times


def _expectation(
    wanted: ResolvedRequest, *, at: datetime
) -> tuple[PriorityClass, estimates.Estimate]:
    tier = admission.tier_of(wanted.draft.tier, model=wanted.model, steps=wanted.steps)
    return tier, admission.estimate(
        wanted.model,
        tier,
        steps=wanted.taken_steps,
        guidance=wanted.guidance,
        count=wanted.draft.count,
        at=at,
    )


def send_to_screening(request_id: UUID) -> None:
    """Robust: with the broker away the row still stands, and the sweeper sends the ticket again."""
    events.send("generation.tasks.screen_prompt", str(request_id))
