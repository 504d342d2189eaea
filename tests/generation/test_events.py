"""The stream of live progress: who is told what, when it ends, and what it holds meanwhile."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.utils import timezone

from adapters.models import BaseModel
from generation.models import GenerationRequest, RequestStatus
from generation.progress import previews
from generation.studio import progress_stream
from tests.factories import make_image, make_request

pytestmark = pytest.mark.django_db(transaction=True)


def follow(user: User, act: dict[int, Any], *, most: int = 20) -> list[tuple[str, dict[str, Any]]]:
    """Events of a stream until its end; `act[n]` is called, in a thread, after the n-th."""

    client = signed_in(user)

    async def run() -> list[tuple[str, dict[str, Any]]]:
        answer = await client.get("/studio/events/")
        assert isinstance(answer, StreamingHttpResponse)
        assert answer["Content-Type"] == "text/event-stream"
        found: list[tuple[str, dict[str, Any]]] = []
        async with aclosing(parts(answer)) as stream:
            async for event in stream:
                found.append(event)
                if step := act.get(len(found)):
                    await asyncio.to_thread(in_own_connection, step)
                if len(found) == most:
                    break
        return found

    return asyncio.run(run())


def signed_in(user: User) -> AsyncClient:
    client = AsyncClient()
    client.force_login(user)
    return client


async def parts(answer: StreamingHttpResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    content: Any = answer.streaming_content
    async for chunk in content:
        lines = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line)
        if "event" in lines:
            yield lines["event"], json.loads(lines["data"])


def in_own_connection(step: Any) -> None:
    try:
        step()
    finally:
        connection.close()


def test_stream_tells_each_change_and_ends_with_the_last_request(
    alice: User, model: BaseModel
) -> None:
    made = make_request(alice, model, status=RequestStatus.RUNNING)

    def draw() -> None:
        previews.publish(made.id, previews.RenderProgress("denoise", 2, 4, preview=b"RIFF"))

    def finish() -> None:
        previews.forget(made.id)
        make_image(alice, model, request=made)
        GenerationRequest.objects.get(id=made.id).note_made(at=timezone.now())

    told = follow(alice, {1: draw, 2: finish})
    assert [name for name, _ in told] == ["progress", "progress", "progress", "end"]
    first, second, third = (state for _, state in told[:3])
    assert first["line"] == "Step 0 of 4"
    assert (second["step"], second["label"]) == (2, "Developing")
    assert second["preview"].startswith(f"/requests/{made.id}/preview/?v=")
    assert third["label"] == "Finished"
    assert third["is_active"] is False


def test_stream_tells_of_a_request_that_came_and_went_between_two_looks(
    alice: User, model: BaseModel
) -> None:
    """A held one is looked at seldom; another one is made faster than that."""
    held = make_request(alice, model, status=RequestStatus.SUBMITTED, is_held=True)
    quick: list[str] = []

    def come_and_go() -> None:
        now = timezone.now()
        made = make_request(alice, model, status=RequestStatus.FINISHED, created_at=now)
        make_image(alice, model, request=made)
        quick.append(str(made.id))

    def end() -> None:
        GenerationRequest.objects.get(id=held.id).cancel(at=timezone.now())

    told = follow(alice, {1: come_and_go, 2: end})
    seen = [(state["id"], state["is_active"]) for name, state in told if name == "progress"]
    assert seen == [(str(held.id), True), (quick[0], False), (str(held.id), False)]
    assert told[-1] == ("end", {})


def test_stream_ends_at_once_when_nothing_is_under_way(alice: User, model: BaseModel) -> None:
    make_request(alice, model, status=RequestStatus.CANCELLED)
    assert follow(alice, {}) == [("end", {})]


def test_stream_tells_nobody_of_someone_elses_requests(
    alice: User, mallory: User, model: BaseModel
) -> None:
    make_request(alice, model)
    assert follow(mallory, {}) == [("end", {})]


def test_visitors_get_no_stream(db: None) -> None:
    assert asyncio.run(AsyncClient().get("/studio/events/")).status_code == 401


async def until(is_so: Callable[[], bool]) -> None:
    """The loop closes an abandoned generator in one of its next turns; the test client's answers
    refer to themselves, so they are abandoned only when collected."""
    deadline = asyncio.get_running_loop().time() + 5
    while not is_so() and asyncio.get_running_loop().time() < deadline:
        gc.collect()
        await asyncio.sleep(0.01)


def test_streams_of_one_person_are_limited_and_freed_when_they_leave(
    alice: User, model: BaseModel
) -> None:
    make_request(alice, model)

    client = signed_in(alice)

    async def run() -> list[int]:
        opened: list[Any] = []
        for _ in range(progress_stream.STREAMS_MAX):
            answer: Any = await client.get("/studio/events/")
            opened.append(aiter(answer.streaming_content))
            await anext(opened[-1])
        refused = await client.get("/studio/events/")
        del answer
        for stream in opened:
            await stream.aclose()
        await until(lambda: not progress_stream.seats.taken)
        allowed: Any = await client.get("/studio/events/")
        allowed.close()
        return [refused.status_code, allowed.status_code]

    assert asyncio.run(run()) == [429, 200]
    assert not progress_stream.seats.taken


def test_of_sixty_streams_opened_together_no_more_get_in_than_one_by_one(
    alice: User, model: BaseModel
) -> None:
    make_request(alice, model)
    client = signed_in(alice)

    async def run() -> list[int]:
        answers: Any = await asyncio.gather(*(client.get("/studio/events/") for _ in range(60)))
        for answer in answers:
            await asyncio.to_thread(answer.close)
        return [answer.status_code for answer in answers]

    statuses = asyncio.run(run())
    assert statuses.count(200) == progress_stream.STREAMS_MAX
    assert statuses.count(429) == 60 - progress_stream.STREAMS_MAX
    assert not progress_stream.seats.taken


def test_a_stream_that_is_closed_unread_gives_its_seat_back(alice: User, model: BaseModel) -> None:
    make_request(alice, model)
    client = signed_in(alice)

    async def run() -> list[int]:
        answer: Any = await client.get("/studio/events/")
        taken = progress_stream.seats.taken[alice.pk]
        await asyncio.to_thread(answer.close)
        return [taken, progress_stream.seats.taken[alice.pk]]

    assert asyncio.run(run()) == [1, 0]


def test_streams_of_one_person_share_their_looks(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_request(alice, model)
    looks: list[int] = []
    look = progress_stream.look

    def counted(owner_id: int, known: frozenset[UUID]) -> Any:
        looks.append(owner_id)
        return look(owner_id, known)

    monkeypatch.setattr(progress_stream, "look", counted)
    monkeypatch.setattr(progress_stream, "_pause", lambda cards: 3600)  # however slow a look is
    client = signed_in(alice)

    async def run() -> None:
        answers: Any = [
            await client.get("/studio/events/") for _ in range(progress_stream.STREAMS_MAX)
        ]
        streams = [aiter(answer.streaming_content) for answer in answers]
        await asyncio.gather(*(anext(stream) for stream in streams))
        firsts = await asyncio.gather(*(anext(stream) for stream in streams))
        assert all(b"event: progress" in first for first in firsts)
        for stream in streams:
            await stream.aclose()

    asyncio.run(run())
    assert len(looks) == 1


def test_an_idle_stream_holds_no_database_connection(alice: User, model: BaseModel) -> None:
    make_request(alice, model)

    def taken() -> int:
        pool: Any = connection
        stats = pool.pool.get_stats()
        return int(stats["pool_size"]) - int(stats["pool_available"])

    before = taken()
    counted: list[int] = []
    follow(alice, {1: lambda: counted.append(taken())}, most=1)
    assert counted == [before]


def test_a_request_that_ended_is_told_once(alice: User, model: BaseModel) -> None:
    ends = make_request(alice, model)
    stays = make_request(alice, model)

    def cancel(request: GenerationRequest) -> Any:
        return lambda: GenerationRequest.objects.get(id=request.id).cancel(at=timezone.now())

    told = follow(alice, {2: cancel(ends), 3: cancel(stays)})
    labels = [(state.get("id"), state.get("label")) for name, state in told if name == "progress"]
    assert labels.count((str(ends.id), "Cancelled")) == 1
    assert labels[-1] == (str(stays.id), "Cancelled")
