"""Threads that come and go use the connections to the cache that are there."""

from __future__ import annotations

import pickle
from threading import Thread
from typing import Any, ClassVar

import pytest
from django.core.cache import cache

from config.runtime.forgiving_cache import ForgetfulRedisCache


def connections_made() -> int:
    kept: Any = cache
    return int(kept._cache.get_client().info("stats")["total_connections_received"])


def test_a_thread_of_each_request_makes_no_connection_of_its_own() -> None:
    cache.get("nothing")
    before = connections_made()
    for _ in range(5):
        thread = Thread(target=cache.get, args=["nothing"])
        thread.start()
        thread.join()
    assert connections_made() - before <= 1  # other processes may come by


def test_a_cache_at_another_address_is_another_one() -> None:
    cache.set("where", "here", 60)
    elsewhere = ForgetfulRedisCache("redis://127.0.0.1:1/0", {})
    assert elsewhere.get("where", "nowhere") == "nowhere"
    assert cache.get("where") == "here"


def raw(key: str) -> Any:
    kept: Any = cache
    return kept._cache.get_client().get(cache.make_key(key))


@pytest.mark.parametrize(
    "value", [0, 7, -1, 1.5, True, False, "text", "7", b"", b"RIFF", [1, "a"], {"a": [None]}]
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    cache.set("value", value, 60)
    assert cache.get("value") == value
    assert type(cache.get("value")) is type(value)


def test_a_counter_is_counted_up_by_the_server() -> None:
    cache.set("count", 1, 60)
    assert cache.incr("count") == 2
    assert cache.get("count") == 2


class Evil:
    run: ClassVar[list[str]] = []

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Evil.run.append, ("run",)


def test_what_lies_in_the_cache_is_never_run() -> None:
    kept: Any = cache
    kept._cache.get_client().set(cache.make_key("evil"), pickle.dumps(Evil()))
    assert cache.get("evil") is None
    assert not Evil.run


def test_nothing_is_kept_as_a_pickle() -> None:
    with pytest.raises(TypeError):
        cache.set("object", Evil(), 60)
    cache.set("list", [1.5], 60)
    assert raw("list") == b"j[1.5]"
