"""Live progress of the signed-in person's requests as server-sent events.

Source: WHATWG HTML, section 9.2. The stream tells what the database and the progress cache say, a
few times a second while something runs. Owners are told apart in the query.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from generation.cards import RequestCard, request_cards
from generation.models import ACTIVE, GenerationRequest, RequestStatus

LOOK_RUNNING_S = 0.25
LOOK_WAITING_S = 0.8
HEARTBEAT_S = 10.0
LENGTH_S = 600.0  # then the browser opens a new one
REQUESTS_MAX = 40


async def stream(request: HttpRequest) -> HttpResponseBase:
    """Events `progress` for each change of an active request, and `end` when none is active."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=401)
    return StreamingHttpResponse(
        _events(user.pk),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(owner_id: int) -> AsyncIterator[str]:
    told: dict[UUID, dict[str, Any]] = {}
    clock = asyncio.get_running_loop().time
    ends_at, spoke_at = clock() + LENGTH_S, clock()
    yield "retry: 2000\n\n"
    while clock() < ends_at:
        cards = await sync_to_async(look)(owner_id, frozenset(told))
        for card in cards:
            state = card.live()
            if told.get(card.id) != state:
                told[card.id], spoke_at = state, clock()
                yield f"event: progress\ndata: {json.dumps(state)}\n\n"
        if not any(card.is_active for card in cards):
            yield "event: end\ndata: {}\n\n"
            return
        if clock() - spoke_at > HEARTBEAT_S:
            spoke_at = clock()
            yield ": still here\n\n"
        await asyncio.sleep(_pause(cards))


def _pause(cards: list[RequestCard]) -> float:
    is_running = any(card.status == RequestStatus.RUNNING for card in cards)
    return LOOK_RUNNING_S if is_running else LOOK_WAITING_S


def look(owner_id: int, known: frozenset[UUID]) -> list[RequestCard]:
    """The owner's active requests, and those told before: their end must be told too."""
    try:
        rows = (
            GenerationRequest.objects.filter(Q(status__in=ACTIVE) | Q(id__in=known))
            .filter(owner_id=owner_id, deleted_at__isnull=True)
            .select_related("model")
            .order_by("-created_at")[:REQUESTS_MAX]
        )
        return request_cards(rows)
    finally:
        close_old_connections()  # a stream lives for minutes and must not sit on a connection
