"""A cache that may be away: what it kept is forgotten, and nothing else breaks.

Only throttles and what is shown while it is made are kept in it. With the server away, or standing
still, a page shows no preview, the live page draws nothing, and what bounds sign-ins and calls is
counted in the process instead: everybody gets in who should, and nobody guesses without end.
Requests go on, because their state is in the database.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Any, Final

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

logger = logging.getLogger(__name__)
# One quick retry mends a connection that the server closed; the library's own backoff would hold
# up each page for seconds. What takes too long is not tried twice.
OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 1,
    "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
}
REST_SECONDS = 1
"""How long a server that did not answer is left alone: a page asks it many times."""
BOUNDS = ("allauth", "throttle_")
"""How the keys begin of what is counted to bound sign-ins (allauth) and calls (DRF)."""
_AWAY: Final = object()
_counted_here = LocMemCache("bounds", {"timeout": 300, "options": {"MAX_ENTRIES": 20_000}})


class Plain:
    """Values as JSON, bytes as they are: whoever can write to the cache makes us run nothing.

    Tuples come back as lists; what JSON does not know is refused when it is set.
    """

    def dumps(self, value: Any) -> bytes | int:
        if type(value) is int:
            return value  # which the server itself can count up
        if isinstance(value, bytes):
            return b"b" + value
        return b"j" + json.dumps(value, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """None for what another release has left there."""
        kind, rest = data[:1], data[1:]
        if kind == b"b":
            return rest
        try:
            return json.loads(rest if kind == b"j" else data)
        except ValueError:
            return None


class KeptClients(RedisCacheClient):
    """Keeps the library's client of each pool, which is safe between threads and costs more to make
    than to use; Django makes one for every call, and a pool for every thread.

    Under ASGI every request has a thread of its own, so it would connect anew.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[Any, Any] = {}
        self.rests_until = 0.0

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined] # not in the stubs
        if pool not in self._kept:
            self._kept[pool] = super().get_client(key, write=write)
        return self._kept[pool]


@cache
def _clients_of(servers: tuple[str, ...]) -> KeptClients:
    """Of all threads of this process."""
    return KeptClients(servers, serializer=Plain(), **OPTIONS)


class ForgetfulRedisCache(RedisCache):
    """Answers "not there" while its server is away; bounds are then counted in this process."""

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)

    @cached_property
    def _cache(self) -> KeptClients:
        return _clients_of(tuple(self._servers))  # type: ignore[attr-defined] # not in the stubs

    def add(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        if _is_lock(key):
            return _counted_here.add(key, *args, **kwargs)
        return bool(self._try("add", False, key, *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._try("get", default, key, default, version)

    def set(self, key: Any, *args: Any, **kwargs: Any) -> None:
        self._try("set", None, key, *args, **kwargs)

    def delete(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        if _is_lock(key):
            return _counted_here.delete(key, *args, **kwargs)
        return bool(self._try("delete", False, key, *args, **kwargs))

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        found: dict[Any, Any] = self._try("get_many", {}, keys, version)
        return found

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        self._try("delete_many", None, keys, version)

    def run(self, name: str, otherwise: Any, *args: Any) -> Any:
        """A command of the server itself; `otherwise` while it is away."""
        answer = self._asked(lambda: getattr(self._cache.get_client(), name)(*args))
        return otherwise if answer is _AWAY else answer

    def _try(self, name: str, otherwise: Any, key: Any, *args: Any, **kwargs: Any) -> Any:
        ask = getattr(super(), name)
        if (answer := self._asked(lambda: ask(key, *args, **kwargs))) is not _AWAY:
            return answer
        if isinstance(key, str) and key.startswith(BOUNDS):
            return getattr(_counted_here, name)(key, *args, **kwargs)
        return otherwise

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What the server answers; `_AWAY` where it does not, or did not a moment ago."""
        clients = self._cache
        if time.monotonic() < clients.rests_until:
            return _AWAY
        try:
            return ask()
        except (ConnectionError, TimeoutError) as error:
            clients.rests_until = time.monotonic() + REST_SECONDS
            logger.warning("the cache is away: %s", error)
            return _AWAY


def _is_lock(key: Any) -> bool:
    """A lock of allauth's limits. It is kept in the process alone: a server that stood still would
    take it when it goes on, for a request that is long gone, and shut its person out."""
    return isinstance(key, str) and key.startswith("allauth:rl:") and key.endswith(":lock")
