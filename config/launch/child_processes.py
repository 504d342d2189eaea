"""Child processes that cannot outlive their parent, and the one error of a start that fails."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)
_prctl = ctypes.CDLL(None, use_errno=True).prctl


class CannotStart(Exception):
    """One sentence about why the house, or a server of it, cannot start."""


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    dies_by: signal.Signals,
    cwd: Path,
    user: str | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to `log`.

    The kernel sends it `dies_by` when this process ends in any way, SIGKILL included: a supervisor
    that is killed leaves nothing behind.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            user=user,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=partial(_follow_parent, os.getpid(), dies_by),
        )


def _follow_parent(parent: int, number: signal.Signals) -> None:
    """Runs between fork and exec, after the change of user (which would clear the request)."""
    _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(number))
    if os.getppid() != parent:
        os._exit(1)  # the parent died before the kernel knew


def is_running(pid: int, mark: str) -> bool:
    """Whether process `pid` has `mark` in its command line. Numbers alone are given out again."""
    try:
        return mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def end_leftover(pid_file: Path, mark: str, *, by: signal.Signals, seconds: float = 20) -> None:
    """End the process that a killed run left behind, if the file still names it, and the file."""
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    deadline = time.monotonic() + seconds
    while is_running(pid, mark):
        late = time.monotonic() > deadline
        os.kill(pid, signal.SIGKILL if late else by)
        time.sleep(0.2)
    pid_file.unlink(missing_ok=True)


def reason(text: str) -> str:
    """The line of a program's output that says why it failed: the last that names an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = ("error", "fatal", "failed", "refused", "could not", "cannot", "no space", "denied")
    telling = [line for line in lines if any(word in line.lower() for word in words)]
    return (telling or lines or ["no reason given"])[-1]


def free_port() -> int:
    """A TCP port of loopback that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
