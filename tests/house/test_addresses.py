"""Servers that settings name are asked first, and a sentence says which one does not answer."""

import os
from urllib.parse import urlsplit

import pytest

from config.env import beside
from config.launch import embedded_servers
from config.launch.child_processes import CannotStart, free_port
from config.launch.connectivity import require_broker, require_database


def test_servers_that_answer_pass() -> None:
    require_database(os.environ["DATABASE_URL"])
    require_broker("BROKER_URL", os.environ["BROKER_URL"])


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://root:secret@db.example/x", "begins with 'mysql'.*PostgreSQL only"),
        ("secret", "DATABASE_URL is no address: write postgresql://"),
        ("postgresql://me:secret@127.0.0.1:{port}/x", "127.0.0.1:{port}, but .*refused"),
        ("postgresql://me:secret@127.0.0.1:none/x", "a port that is no number"),
    ],
)
def test_a_wrong_database_is_named_without_its_password(url: str, sentence: str) -> None:
    port = str(free_port())
    with pytest.raises(CannotStart, match=sentence.replace("{port}", port)) as refused:
        require_database(url.replace("{port}", port))
    assert "secret" not in str(refused.value)


def test_a_wrong_password_is_told_apart_from_a_missing_server() -> None:
    place = urlsplit(os.environ["DATABASE_URL"])
    with pytest.raises(CannotStart, match="password authentication failed"):
        require_database(f"postgresql://proofsheet:wrong@127.0.0.1:{place.port}/proofsheet")


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_away_is_named(scheme: str) -> None:
    port = free_port()
    with pytest.raises(CannotStart, match=f"BROKER_URL names 127.0.0.1:{port}, but no server"):
        require_broker("BROKER_URL", f"{scheme}://me:secret@127.0.0.1:{port}/0")


@pytest.mark.parametrize(
    ("database", "broker", "cache", "own_database", "own_broker"),
    [
        ("", "", "", True, True),
        ("postgresql://db/x", "", "", False, True),
        ("postgresql://db/x", "redis://b/0", "", False, False),
        ("", "redis://b/0", "", True, False),
        ("", "amqp://b", "", True, True),
        ("", "amqp://b", "redis://c/0", True, False),
    ],
)
def test_nothing_is_started_for_a_server_that_a_setting_names(
    monkeypatch: pytest.MonkeyPatch,
    database: str,
    broker: str,
    cache: str,
    own_database: bool,
    own_broker: bool,
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("BROKER_URL", broker)
    monkeypatch.setenv("CACHE_URL", cache)
    assert (embedded_servers.has_own_database(), embedded_servers.has_own_broker()) == (
        own_database,
        own_broker,
    )


def test_the_cache_stands_beside_a_redis_broker() -> None:
    assert beside("rediss://:word@b.example:6380/0?x=1") == "rediss://:word@b.example:6380/1?x=1"
