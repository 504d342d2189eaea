"""Live progress of the signed-in person's requests as server-sent events.

Source: WHATWG HTML, section 9.2. The stream tells what the database and the progress cache say, a
few times a second while something runs, and ends when nothing is under way. Between two looks it
holds no database connection, and the streams of one person share them. Owners are told apart in
the query.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import close_old_connections
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from generation.models import ACTIVE, GenerationRequest, RequestStatus
from generation.studio.request_cards import RequestCard, request_cards
from generation.studio.stream_limits import LEASE_S, OpenStream, OpenStreams

LOOK_RUNNING_S = 0.25
LOOK_WAITING_S = 0.8
LOOK_HELD_S = 3.0
HEARTBEAT_S = 10.0
LENGTH_S = 600.0  # then the browser opens a new one
LOOK_BACK = timedelta(seconds=10)  # longer than any pause: what came and went in one is told too
REQUESTS_MAX = 40
STREAMS_MAX = 8  # a user: a tab each; pages beyond that poll

seats = OpenStreams("events", STREAMS_MAX)


class EventStream(StreamingHttpResponse):
    """Gives its seat back when Django closes it, should its events never have been asked for."""

    def __init__(self, owner_id: int, seat: OpenStream) -> None:
        super().__init__(
            _counted(owner_id, seat),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._seat = seat

    def close(self) -> None:
        self._seat.give_back()
        super().close()


async def stream(request: HttpRequest) -> HttpResponseBase:
    """Events `progress` for each change of an active request, and `end` when none is active."""
    owner_id = await sync_to_async(_owner_id)(request)
    if owner_id is None:
        return HttpResponse(status=401)
    if (seat := await seats.take(owner_id)) is None:
        return HttpResponse(status=429, headers={"Retry-After": "5"})
    return EventStream(owner_id, seat)


def _owner_id(request: HttpRequest) -> int | None:
    try:
        user: AbstractBaseUser | AnonymousUser = request.user
        return user.pk if user.is_authenticated else None
    finally:
        close_old_connections()


async def _counted(owner_id: int, seat: OpenStream) -> AsyncIterator[str]:
    """A client that leaves cancels the stream, which ends it here."""
    clock = asyncio.get_running_loop().time
    kept_at = clock()
    try:
        async for event in _events(owner_id):
            yield event
            if clock() - kept_at > LEASE_S / 3:
                kept_at = clock()
                await seat.keep()
    finally:
        seat.give_back()


async def _events(owner_id: int) -> AsyncIterator[str]:
    told: dict[UUID, dict[str, Any]] = {}
    over: set[UUID] = set()
    clock = asyncio.get_running_loop().time
    ends_at, spoke_at = clock() + LENGTH_S, clock()
    watch = _watches.setdefault(owner_id, _Watch(owner_id))
    seen_at = clock()  # what was seen before this stream began may be over
    yield "retry: 2000\n\n"
    while clock() < ends_at:
        cards, seen_at = await watch.look_after(seen_at, frozenset(told.keys() - over))
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


class _Watch:
    """What one person's streams look at together: each look serves all that wait for a newer one.

    A look begins with the requests that any of the streams has told of as active.
    """

    def __init__(self, owner_id: int) -> None:
        self._owner_id = owner_id
        self._lock = asyncio.Lock()
        self._cards: list[RequestCard] = []
        self._known: frozenset[UUID] = frozenset()
        self._looked_at = float("-inf")

    async def look_after(
        self, seen_at: float, known: frozenset[UUID]
    ) -> tuple[list[RequestCard], float]:
        """Cards of a look that began after the one at `seen_at`, and when it began."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            is_fresh = clock() - self._looked_at < _pause(self._cards) / 2
            if not (is_fresh and self._looked_at > seen_at and known <= self._known):
                self._looked_at = clock()
                self._known |= known
                self._cards = await _look_aside(self._owner_id, self._known)
                active = {card.id for card in self._cards if card.is_active}
                self._known = known | active
            return self._cards, self._looked_at


_watches: WeakValueDictionary[int, _Watch] = WeakValueDictionary()


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
            .filter(project__personal_of=owner_id, deleted_at__isnull=True, is_live=False)
            .select_related("model")
            .order_by("-created_at")[:REQUESTS_MAX]
        )
        return request_cards(rows, by=User(pk=owner_id))
    finally:
        close_old_connections()
