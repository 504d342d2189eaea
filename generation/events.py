"""Live progress of the signed-in person's requests as server-sent events.

Source: WHATWG HTML, section 9.2. The stream tells what the database and the progress cache say, a
few times a second while something runs, and ends when nothing is under way. Between two looks it
holds no database connection. Owners are told apart in the query.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import close_old_connections
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from generation.cards import RequestCard, request_cards
from generation.models import ACTIVE, GenerationRequest, RequestStatus

LOOK_RUNNING_S = 0.25
LOOK_WAITING_S = 0.8
LOOK_HELD_S = 3.0
HEARTBEAT_S = 10.0
LENGTH_S = 600.0  # then the browser opens a new one
LOOK_BACK = timedelta(seconds=10)  # longer than any pause: what came and went in one is told too
REQUESTS_MAX = 40
STREAMS_MAX = 8  # a user, in one web process: a tab each; pages beyond that poll

_open: Counter[int] = Counter()


async def stream(request: HttpRequest) -> HttpResponseBase:
    """Events `progress` for each change of an active request, and `end` when none is active."""
    owner_id = await sync_to_async(_owner_id)(request)
    if owner_id is None:
        return HttpResponse(status=401)
    if _open[owner_id] >= STREAMS_MAX:
        return HttpResponse(status=429, headers={"Retry-After": "5"})
    return StreamingHttpResponse(
        _counted(owner_id),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _owner_id(request: HttpRequest) -> int | None:
    try:
        user: AbstractBaseUser | AnonymousUser = request.user
        return user.pk if user.is_authenticated else None
    finally:
        close_old_connections()


async def _counted(owner_id: int) -> AsyncIterator[str]:
    """Counts the stream while it lasts; a client that leaves cancels it, which ends it here."""
    _open[owner_id] += 1
    try:
        async for event in _events(owner_id):
            yield event
    finally:
        _open[owner_id] -= 1
        if not _open[owner_id]:
            del _open[owner_id]


async def _events(owner_id: int) -> AsyncIterator[str]:
    told: dict[UUID, dict[str, Any]] = {}
    over: set[UUID] = set()
    clock = asyncio.get_running_loop().time
    ends_at, spoke_at = clock() + LENGTH_S, clock()
    yield "retry: 2000\n\n"
    while clock() < ends_at:
        cards = await _look_aside(owner_id, frozenset(told.keys() - over))
        for card in cards:
            if card.id in over and not card.is_active:
                continue
            state = card.live()
            if told.get(card.id) != state:
                told[card.id], spoke_at = state, clock()
                yield f"event: progress\ndata: {json.dumps(state)}\n\n"
            (over.discard if card.is_active else over.add)(card.id)
        if not any(card.is_active for card in cards):
            yield "event: end\ndata: {}\n\n"
            return
        if clock() - spoke_at > HEARTBEAT_S:
            spoke_at = clock()
            yield ": still here\n\n"
        await asyncio.sleep(_pause(cards))


def _pause(cards: list[RequestCard]) -> float:
    if any(card.status == RequestStatus.RUNNING for card in cards):
        return LOOK_RUNNING_S
    return LOOK_HELD_S if all(card.is_held for card in cards) else LOOK_WAITING_S


async def _look_aside(owner_id: int, known: frozenset[UUID]) -> list[RequestCard]:
    """`look` in one of the loop's few shared threads: streams are many, connections are not."""
    return await sync_to_async(look, thread_sensitive=False)(owner_id, known)


def look(owner_id: int, known: frozenset[UUID]) -> list[RequestCard]:
    """The owner's active requests, those told before, and those that ended since the last look:
    their end must be told too."""
    is_over = Q(ended_at__gte=timezone.now() - LOOK_BACK)
    try:
        rows = (
            GenerationRequest.objects.filter(Q(status__in=ACTIVE) | Q(id__in=known) | is_over)
            .filter(owner_id=owner_id, deleted_at__isnull=True, is_live=False)
            .select_related("model")
            .order_by("-created_at")[:REQUESTS_MAX]
        )
        return request_cards(rows)
    finally:
        close_old_connections()
