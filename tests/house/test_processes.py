"""A child ends with its parent, and what a killed run left behind is found by its command line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.launch import child_processes

PARENT = """
import signal, sys, time
from pathlib import Path
from config.launch import child_processes
child = child_processes.spawn(
    [sys.executable, "-c", "import time; time.sleep(60)"],
    log=Path(sys.argv[1]), dies_by=signal.SIGTERM, cwd=Path("/"),
)
print(child.pid, flush=True)
time.sleep(60)
"""


def _has_ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def _wait_until_ended(pid: int) -> None:
    deadline = time.monotonic() + 10
    while not _has_ended(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "child.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert not _has_ended(child)
        parent.send_signal(signal.SIGKILL)
    _wait_until_ended(child)


def test_a_leftover_is_ended_and_its_pid_file_removed(tmp_path: Path) -> None:
    pid_file = tmp_path / "left.pid"
    command = [sys.executable, "-c", "import time; time.sleep(60)", str(pid_file)]
    with subprocess.Popen(command) as left:
        while not child_processes.is_running(left.pid, str(pid_file)):
            time.sleep(0.01)  # the kernel shows a command line only once the program is loaded
        pid_file.write_text(f"{left.pid}\n")
        child_processes.end_leftover(pid_file, str(pid_file), by=signal.SIGTERM)
        assert left.wait(timeout=5) == -signal.SIGTERM
    assert not pid_file.exists()


def test_a_stale_pid_file_ends_nobody_else(tmp_path: Path) -> None:
    """The number in the file belongs to another program by now: here, to this very test."""
    pid_file = tmp_path / "stale.pid"
    pid_file.write_text(str(os.getpid()))
    child_processes.end_leftover(pid_file, "postgres -D /elsewhere", by=signal.SIGKILL)
    assert not pid_file.exists()


def test_the_reason_is_the_line_that_names_an_error() -> None:
    output = "creating files\ninitdb: error: could not create directory\nremoving contents\n"
    assert child_processes.reason(output) == "initdb: error: could not create directory"
    assert child_processes.reason("\n") == "no reason given"
