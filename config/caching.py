"""A cache that may be away: what it kept is forgotten, and nothing else breaks.

Only throttles and live progress are kept in it. With the server away a throttle lets everybody
pass and a page shows no preview; requests go on, because their state is in the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

logger = logging.getLogger(__name__)
# One quick retry mends a connection that the server closed; the library's own backoff would hold
# up each page for seconds.
OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)}


class KeptClients(RedisCacheClient):
    """Keeps the library's client of each pool, which is safe between threads and costs more to make
    than to use; Django makes one for every call, and a pool for every thread.

    Under ASGI every request has a thread of its own, so it would connect anew.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined] # not in the stubs
        if pool not in self._kept:
            self._kept[pool] = super().get_client(key, write=write)
        return self._kept[pool]


@cache
def _clients_of(servers: tuple[str, ...]) -> KeptClients:
    """Of all threads of this process."""
    return KeptClients(servers, **OPTIONS)


class ForgetfulRedisCache(RedisCache):
    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)

    @cached_property
    def _cache(self) -> KeptClients:
        return _clients_of(tuple(self._servers))  # type: ignore[attr-defined] # not in the stubs

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try(super().add, False, *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._try(super().get, default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._try(super().set, None, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try(super().delete, False, *args, **kwargs))

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        found: dict[Any, Any] = self._try(super().get_many, {}, keys, version)
        return found

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        self._try(super().delete_many, None, keys, version)

    @staticmethod
    def _try(method: Callable[..., Any], otherwise: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (ConnectionError, TimeoutError) as error:
            logger.warning("the cache is away: %s", error)
            return otherwise
