import socket
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from config import services, supervisor

Usage = namedtuple("Usage", "total used free")


def test_a_taken_port_is_named_with_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(supervisor.CannotStart, match=f"Port {port} is taken.*PORT={port + 1}"):
            supervisor.require_free_port("127.0.0.1", port)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.shutil, "disk_usage", lambda _: Usage(10**10, 10**10, 2**20))
    with pytest.raises(services.ServiceError, match="1 MiB free"):
        services.require_space(tmp_path)


def test_a_second_start_finds_the_first(tmp_path: Path) -> None:
    with services.only_one(tmp_path) as first, services.only_one(tmp_path) as second:
        assert (first, second) == (True, False)


def test_a_stale_lock_file_does_not_block_a_start(tmp_path: Path) -> None:
    (tmp_path / "services.lock").write_text("4194304")
    with services.only_one(tmp_path) as is_first:
        assert is_first


def test_a_child_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    child = supervisor.Child("brief", [sys.executable, "-c", ""], tmp_path / "brief.log")
    for _ in range(supervisor.RESTARTS_ALLOWED):
        child.start()
        while not child.has_died():
            time.sleep(0.01)
    assert child.dies_too_often()


def test_embedded_servers_keep_data_across_a_restart(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    import psycopg
    import redis

    folder = services.ROOT / "var" / "test" / tmp_path_factory.mktemp("servers").name
    for value in (None, ("kept",)):
        with pytest.MonkeyPatch.context() as patch:
            for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"):
                patch.setenv(name, "")
            with services.embedded(folder) as urls:
                with psycopg.connect(urls["database"], autocommit=True) as connection:
                    connection.execute("CREATE TABLE IF NOT EXISTS proof (word text)")
                    assert connection.execute("SELECT word FROM proof").fetchone() == value
                    connection.execute("INSERT INTO proof VALUES ('kept')")
                with redis.Redis.from_url(urls["broker"]) as broker:
                    assert broker.get("word") == (None if value is None else b"kept")
                    broker.set("word", "kept")
    services.shutil.rmtree(folder)
