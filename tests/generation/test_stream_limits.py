"""Streams of one account are counted over all web processes together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.cache import cache

from generation.studio import shared_places
from generation.studio.stream_limits import OpenStreams


def test_two_processes_give_an_account_no_more_than_one_would() -> None:
    async def run() -> tuple[int, int, bool]:
        processes = [OpenStreams("events", 8), OpenStreams("events", 8)]
        asked = [process.take(1) for _ in range(60) for process in processes]
        taken = [each for each in await asyncio.gather(*asked) if each]
        other = await processes[0].take(2)
        for each in taken[:3]:
            each.give_back()
        again = [await processes[1].take(1) for _ in range(4)]
        return len(taken), sum(each is not None for each in again), other is not None

    assert asyncio.run(run()) == (8, 3, True)


def test_a_place_of_a_process_that_died_is_free_after_its_lease() -> None:
    kept: Any = cache
    assert shared_places.take("places", "dead", 1, 60)
    assert not shared_places.take("places", "next", 1, 60)
    kept._cache.get_client().zadd(kept.make_key("places"), {"dead": 1})  # a minute went by
    assert shared_places.take("places", "next", 1, 60)


def test_while_the_cache_is_away_each_process_counts_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: Any = cache
    monkeypatch.setattr(kept._cache, "rests_until", float("inf"))

    async def run() -> int:
        process = OpenStreams("away", 8)
        taken = await asyncio.gather(*(process.take(1) for _ in range(60)))
        return sum(each is not None for each in taken)

    assert asyncio.run(run()) == 8
