"""The rows of a new request: it, the adapters that it asked for, and what it starts from; and
whoever works on it next is told."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from adapters.models import Adapter
from config.core import events
from config.core.projects.calling import Caller
from config.core.watching import tracing
from generation.conditions import init_images
from generation.conditions.stored_uploads import StoredNames
from generation.line import tickets
from generation.models import GenerationRequest, RequestAdapter, RequestStatus
from generation.request_rules.parameters import SEED_MAX
from generation.requests.resolving import ResolvedRequest

NOTHING_STORED = StoredNames()


def create(
    wanted: ResolvedRequest,
    *,
    caller: Caller,
    priority: int,
    predicted_ms: int,
    at: datetime,
    is_live: bool = False,
    names: StoredNames = NOTHING_STORED,
) -> GenerationRequest:
    """In the caller's transaction. A live one waits for a worker at once, others to be screened.

    Its parts are known, so an answer that shows them asks the database for none.
    """
    parameters = wanted.parameters
    request = GenerationRequest.objects.create(
        owner_id=caller.user.pk,
        project=caller.project,
        end_user=caller.end_user,
        is_live=is_live,
        status=RequestStatus.QUEUED if is_live else RequestStatus.SUBMITTED,
        queued_at=at if is_live else None,
        prompt=parameters.prompt,
        negative_prompt=parameters.negative_prompt,
        model=wanted.model,
        steps=wanted.steps,
        guidance=wanted.guidance,
        guidance_rescale=parameters.guidance_rescale,
        seed=secrets.randbelow(SEED_MAX + 1) if parameters.seed is None else parameters.seed,
        width=wanted.size[0],
        height=wanted.size[1],
        count=parameters.count,
        label=str(wanted.label or ""),
        priority=priority,
        predicted_ms=predicted_ms,
        traceparent=tracing.traceparent(),
        created_at=at,
    )
    request.used_adapters = _store_adapters(request, wanted.adapters)
    request.made_images = []
    source = init_images.attach(request, wanted.source, names=names, at=at)
    request.is_from_noise = source is None
    _send_on(request)
    return request


def _send_on(request: GenerationRequest) -> None:
    if request.is_live:
        request.stand_in_line()
        tickets.send_for(request)
    else:
        send_to_screening(request.id)


def send_to_screening(request_id: UUID) -> None:
    """Robust: with the broker away the row still stands, and the sweeper sends the ticket again."""
    events.send("generation.tasks.screen_prompt", str(request_id))


def _store_adapters(
    request: GenerationRequest, adapters: list[tuple[Adapter, float]]
) -> list[RequestAdapter]:
    return RequestAdapter.objects.bulk_create(
        RequestAdapter(
            request=request,
            adapter=adapter,
            weight=weight,
            sha256=adapter.sha256,
            position=position,
        )
        for position, (adapter, weight) in enumerate(adapters)
    )
