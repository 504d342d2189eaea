"""Threads that come and go use the connections to the cache that are there."""

from __future__ import annotations

from threading import Thread
from typing import Any

from django.core.cache import cache

from config.caching import ForgetfulRedisCache


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
