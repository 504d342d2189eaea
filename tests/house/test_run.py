"""`make run` as a newcomer meets it: start, use, kill, start again, stop."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from config.launch import embedded_servers
from config.launch.child_processes import free_port, is_running


class House:
    """One start of the supervisor in an environment as empty as a newcomer's."""

    def __init__(self, folder: Path, port: int) -> None:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ
        }
        self.folder, self.port, self.lines = folder, port, ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.launch.supervisor", "--port", str(port)],
            cwd=embedded_servers.ROOT,
            env=kept | {"PROOFSHEET_STATE_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines += line
            if line.startswith("Ctrl-C"):
                return
        raise AssertionError(f"the house did not start: {self.lines}")

    def pids(self) -> list[int]:
        """The supervisor's direct children, by the kernel's own list."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in task.read_text().split()]

    def get(self, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def folder() -> Iterator[Path]:
    import shutil
    import tempfile

    made = Path(tempfile.mkdtemp(prefix="house-", dir=embedded_servers.ROOT / "var" / "test"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _wait_until_gone(pids: list[int], mark: str) -> None:
    deadline = time.monotonic() + 30
    while left := [pid for pid in pids if is_running(pid, mark)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_house_survives_a_kill_and_leaves_nothing_behind(folder: Path) -> None:
    first = House(folder, free_port())
    first.wait_until_ready()
    assert first.get("/accounts/login/") == 200
    assert f"http://127.0.0.1:{first.port}/" in first.lines
    passwords = json.loads((folder / "keys" / "demo_passwords.json").read_text())
    for name in ("alice", "bob", "carol", "dora", "olga"):
        assert re.search(rf"{name} +{re.escape(passwords[name])}", first.lines)
    pids = first.pids()
    assert len(pids) == 7  # two servers, web, three workers, beat

    first.process.send_signal(signal.SIGKILL)
    first.process.communicate()
    _wait_until_gone(pids, str(embedded_servers.ROOT))

    second = House(folder, first.port)
    second.wait_until_ready()
    assert json.loads((folder / "keys" / "demo_passwords.json").read_text()) == passwords
    pids = second.pids()
    started = time.monotonic()
    os.killpg(second.process.pid, signal.SIGINT)  # what Ctrl-C in a terminal does
    rest, _ = second.process.communicate(timeout=60)
    assert second.process.returncode == 0
    assert "everything is kept" in rest
    assert time.monotonic() - started < 30
    assert not [pid for pid in pids if is_running(pid, str(embedded_servers.ROOT))]
    assert not (folder / "services.json").exists()
