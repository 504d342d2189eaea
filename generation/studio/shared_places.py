"""Places that all processes count together, in the cache's server.

A place is held under a name until it is left or its lease is over, by the server's own clock.
Where the server is away everybody gets a place: the caller counts for its process besides.
"""

from __future__ import annotations

from typing import Any

from django.core.cache import caches

_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
    and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


def take(key: str, name: str, most: int, lease_s: int) -> bool:
    """Whether `name` has one of the `most` places of this key, for so many seconds from now."""
    cache: Any = caches["default"]
    return bool(cache.run("eval", 1, _TAKE, 1, cache.make_key(key), name, most, lease_s))


def leave(key: str, name: str) -> None:
    """Give the place of `name` back, if it still has one."""
    cache: Any = caches["default"]
    cache.run("zrem", 0, cache.make_key(key), name)
