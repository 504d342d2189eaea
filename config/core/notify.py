"""Wakes whoever waits in another process, through the cache's server.

A wake that is lost costs the sleeper its patience and nothing else: it looks again then.
"""

from __future__ import annotations

import asyncio
from functools import cache

import redis
import redis.asyncio
from django.conf import settings

LIFETIME_S = 60


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.CACHE_URL, socket_connect_timeout=1, socket_timeout=2)


def wake(*names: str) -> None:
    """End one sleep under each of the names, one that begins within a minute too."""
    try:
        with _client().pipeline(transaction=False) as calls:
            for name in names:
                calls.rpush(name, b"")
                calls.expire(name, LIFETIME_S)
            calls.execute()
    except redis.RedisError:
        return  # the sleeper looks by itself


async def sleep_until(*names: str, seconds: float) -> None:
    """Until somebody wakes one of the names, at most `seconds`; holds no thread, no database."""
    try:
        async with redis.asyncio.Redis.from_url(settings.CACHE_URL, socket_timeout=5) as client:
            await client.blpop(list(names), timeout=seconds)
    except redis.RedisError:
        await asyncio.sleep(seconds)
