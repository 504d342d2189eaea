import errno
import os
import socket
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.launch import embedded_servers, folder_lock, programs, supervisor
from config.launch.child_processes import CannotStart, free_port

Usage = namedtuple("Usage", "total used free")


def test_a_taken_port_is_named_with_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is taken.*PORT={port + 1}"):
            supervisor.require_free_port("127.0.0.1", port)


def test_two_houses_that_start_together_do_not_share_a_port() -> None:
    """Neither listens yet, so both have found the port free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with supervisor.claim_port(port):
            with pytest.raises(CannotStart, match=f"port {port}: .*PORT={port + 1}"):
                supervisor.claim_port(port)
            supervisor.claim_port(port - 1).close()
        supervisor.claim_port(port).close()


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(CannotStart, match="192.0.2.1:8000 cannot be opened"):
        supervisor.require_free_port("192.0.2.1", 8000)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**10, 10**10, 2**20))
    with pytest.raises(CannotStart, match="1 MiB free"):
        embedded_servers.require_folder(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CannotStart, match="file/var cannot be written .Not a directory"):
        embedded_servers.require_folder(tmp_path / "file" / "var")


def test_a_disk_without_space_for_a_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(CannotStart, match="No space left on device"):
        embedded_servers.require_folder(tmp_path)


def test_a_second_start_finds_the_first(tmp_path: Path) -> None:
    with folder_lock.only_one(tmp_path) as first, folder_lock.only_one(tmp_path) as second:
        assert (first, second) == (True, False)
        assert folder_lock.holder(tmp_path) == str(os.getpid())


def test_a_stale_lock_file_does_not_block_a_start(tmp_path: Path) -> None:
    (tmp_path / "services.lock").write_text("4194304")
    with folder_lock.only_one(tmp_path) as is_first:
        assert is_first


def test_a_house_says_where_it_answers_for_as_long_as_it_runs(tmp_path: Path) -> None:
    assert folder_lock.address(tmp_path) == ""
    with folder_lock.only_one(tmp_path):
        assert folder_lock.address(tmp_path) == ""
        folder_lock.announce(tmp_path, "http://127.0.0.1:8123")
        assert folder_lock.address(tmp_path) == "http://127.0.0.1:8123"
        assert folder_lock.holder(tmp_path) == str(os.getpid())
    assert folder_lock.address(tmp_path) == ""
    with folder_lock.only_one(tmp_path):
        assert folder_lock.address(tmp_path) == ""


def test_settings_know_where_the_running_house_answers(tmp_path: Path) -> None:
    ask = [sys.executable, "-c", "from config import settings; print(settings.PUBLIC_URL)"]
    told = {name: value for name, value in os.environ.items() if name != "PUBLIC_URL"}
    told |= {"PROOFSHEET_STATE_DIR": str(tmp_path)}

    def public_url(**said: str) -> str:
        return subprocess.run(
            ask, env=told | said, capture_output=True, text=True, check=True
        ).stdout.strip()

    with folder_lock.only_one(tmp_path):
        folder_lock.announce(tmp_path, "http://127.0.0.1:8123")
        assert public_url() == "http://127.0.0.1:8123"
        assert public_url(PUBLIC_URL="https://pictures.example") == "https://pictures.example"
    assert public_url() == "http://localhost:8000"


def test_a_child_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    child = programs.Child("brief", [sys.executable, "-c", ""], tmp_path / "brief.log")
    for _ in range(programs.RESTARTS_ALLOWED):
        child.start()
        while not child.has_died():
            time.sleep(0.01)
    assert child.dies_too_often()


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "LOG_BYTES", 10)
    log = tmp_path / "brief.log"
    log.write_text("the lines of an earlier run\n")
    child = programs.Child("brief", [sys.executable, "-c", "print('new')"], log)
    child.start()
    assert child.process
    child.process.wait()
    assert (tmp_path / "brief.log.1").read_text() == "the lines of an earlier run\n"
    assert log.read_text() == "new\n"


def _start(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`make run` with a port of its own, unless the arguments name one."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "config.launch.supervisor", "--port", str(free_port()), *arguments],
        cwd=embedded_servers.ROOT,
        env=kept | {"PROOFSHEET_STATE_DIR": str(folder)} | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        ((), {"DATABASE_URL": "mysql://db/x"}, "Proofsheet runs on PostgreSQL only."),
        ((), {"BROKER_URL": "redis://127.0.0.1:1/0"}, "BROKER_URL names 127.0.0.1:1, but"),
        (("--host", "no.such.host.invalid"), {}, "HOST=no.such.host.invalid is no address"),
        (("--host", "no..host"), {}, "HOST=no..host is no address"),
        (("--port", "99999"), {}, "PORT=99999 is no port"),
        ((), {"WEB_WORKERS": "many"}, "WEB_WORKERS is 'many': write a whole number"),
    ],
)
def test_a_start_that_fails_says_why_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], sentence: str
) -> None:
    done = _start(tmp_path, *arguments, **settings)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_embedded_servers_keep_data_across_a_restart(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    import psycopg
    import redis

    folder = embedded_servers.ROOT / "var" / "test" / tmp_path_factory.mktemp("servers").name
    for value in (None, ("kept",)):
        with pytest.MonkeyPatch.context() as patch:
            for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "CACHE_URL"):
                patch.setenv(name, "")
            with embedded_servers.embedded(folder) as servers:
                owner = servers.urls["DATABASE_OWNER_URL"]
                _assert_in_no_file(folder, urlsplit(owner).password)
                with psycopg.connect(owner, autocommit=True) as connection:
                    connection.execute("CREATE TABLE IF NOT EXISTS proof (word text)")
                    assert connection.execute("SELECT word FROM proof").fetchone() == value
                    connection.execute("INSERT INTO proof VALUES ('kept')")
                with psycopg.connect(servers.urls["DATABASE_URL"], autocommit=True) as application:
                    assert application.execute("SELECT word FROM proof").fetchone() == ("kept",)
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        application.execute("CREATE TABLE mine (word text)")
                with redis.Redis.from_url(servers.urls["BROKER_URL"]) as broker:
                    assert broker.get("word") == (None if value is None else b"kept")
                    broker.set("word", "kept")
    _remove(folder)


def test_an_embedded_server_that_was_killed_comes_back_at_its_address(tmp_path: Path) -> None:
    from config.launch.valkey import Valkey

    server = Valkey(tmp_path / "valkey")
    server.start()
    address = server.url(0)
    assert server.process
    server.process.kill()
    server.process.wait()
    assert server.has_died()
    server.start()
    try:
        assert server.url(0) == address
    finally:
        server.stop()


def _assert_in_no_file(folder: Path, password: str | None) -> None:
    assert password
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert "services.json" in {path.name for path in files}
    assert not [path for path in files if password.encode() in path.read_bytes()]


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)
