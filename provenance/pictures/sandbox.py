"""Decoding what could take much time or memory, in a process of its own: it forks a child for each
picture, which has limits from the kernel and ends with it.

A decoder that a file breaks, or breaks into, takes nobody else's picture with it; what it allocates
goes back to the system. The forking process has its libraries loaded and no thread but one, so a
child costs milliseconds. It speaks over one socket, and ends when that is closed.

Request and answer are each eight bytes of length and that many bytes. An answer is a line of JSON,
then the pixels.
"""

import atexit
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, cast

import numpy as np

from config.core.gate import Gate
from provenance.pictures import file_parts, pixel_decoding
from provenance.pictures.pixel_decoding import Picture
from provenance.pictures.refusals import Mime, PictureTooCostly, PictureUnreadable

AT_ONCE, MOST_WAITING, PATIENCE_S = 2, 64, 60.0
CPU_S = 6
"""Several times what the largest pictures take; the kernel ends a child that takes more."""
MEMORY_BYTES = 512 * 2**20
"""Address space beyond what the libraries have taken; a little of it is never touched."""
ANSWER_S = 30.0
_NICENESS = 5
_LENGTH_BYTES = 8
_gate = Gate(AT_ONCE, most_waiting=MOST_WAITING, patience_s=PATIENCE_S)


def read(data: bytes, *, is_whole: bool = False) -> Picture:
    """As `pixel_decoding.decode`, in a child process.

    Raises:
        PictureUnreadable: and its kinds; `PictureTooCostly` where the kernel ended the child.
        gate.Busy: so many others wait that this one is not to.
    """
    with _gate.passed():
        sandbox = _sandboxes.take()
        try:
            answer = sandbox.ask(bytes([is_whole]) + data)
        except (OSError, EOFError) as error:
            sandbox.close()
            raise PictureTooCostly from error
        _sandboxes.give_back(sandbox)
    return _picture(answer)


def _picture(answer: bytearray) -> Picture:
    """Nothing is believed of a child but sizes that fit what it sent."""
    line, _, _ = answer.partition(b"\n")
    told: dict[str, Any] = json.loads(line)
    if (said := told.get("error")) is not None:
        raise PictureTooCostly if not said else PictureUnreadable(**said)
    pixels = np.frombuffer(answer, np.uint8, offset=len(line) + 1)
    shown = pixels.reshape(told["rows"], told["columns"], 3)
    width, height = int(told["width"]), int(told["height"])
    return Picture(shown, cast(Mime, told["mime"]), tuple(told["notes"]), width, height)


class _Sandbox:
    """The forking process and the socket to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", __name__],
                stdin=theirs.fileno(),
                cwd=Path(__file__).resolve().parent.parent.parent,
                env={"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1"},
            )
        ours.settimeout(ANSWER_S)

    def ask(self, request: bytes) -> bytearray:
        """Raises `OSError` or `EOFError` where the process is gone or does not answer."""
        _send(self._socket, request)
        return _receive(self._socket)

    def is_there(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()


class _Sandboxes:
    """Those that are free; a process that was forked has none of its parent's."""

    def __init__(self) -> None:
        self._owner, self._free, self._lock = 0, SimpleQueue[_Sandbox](), Lock()

    def take(self) -> _Sandbox:
        with self._lock:
            if self._owner != os.getpid():
                self._owner, self._free = os.getpid(), SimpleQueue()
        try:
            while not (sandbox := self._free.get_nowait()).is_there():
                sandbox.close()
        except Empty:
            return _Sandbox()
        return sandbox

    def give_back(self, sandbox: _Sandbox) -> None:
        self._free.put(sandbox)

    def close(self) -> None:
        while self._owner == os.getpid() and not self._free.empty():
            self._free.get().close()


_sandboxes = _Sandboxes()
atexit.register(_sandboxes.close)


def _send(to: socket.socket, *parts: bytes | memoryview) -> None:
    to.sendall(sum(len(part) for part in parts).to_bytes(_LENGTH_BYTES))
    for part in parts:
        to.sendall(part)


def _receive(come_from: socket.socket) -> bytearray:
    """Raises `EOFError` where the other side hung up."""
    length = bytearray(_LENGTH_BYTES)
    _fill(come_from, length)
    whole = bytearray(int.from_bytes(length))
    _fill(come_from, whole)
    return whole


def _fill(come_from: socket.socket, space: bytearray) -> None:
    view = memoryview(space)
    while view:
        taken = come_from.recv_into(view)
        if not taken:
            raise EOFError
        view = view[taken:]


def serve(to: socket.socket) -> None:
    """Fork a child for each request, one after the other. Raises `EOFError` or `OSError` when
    nobody asks any more.
    """
    while True:
        request = _receive(to)
        child = os.fork()
        if not child:
            _limit()
            with suppress(BaseException):  # whatever happens, this child must not serve on
                _answer(to, request)
                os._exit(0)
            os._exit(1)
        del request
        _, status = os.waitpid(child, 0)
        if status:
            _send(to, b'{"error": {}}\n')


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _answer(to: socket.socket, request: bytearray) -> None:
    try:
        file = file_parts.inspect(bytes(memoryview(request)[1:]))
        picture = pixel_decoding.decode(file, is_whole=bool(request[0]))
    except PictureUnreadable as error:
        said = {"code": error.code, "message": error.message, "advice": error.advice}
        _send(to, json.dumps({"error": said | {"status": error.status}}).encode() + b"\n")
        return
    rows, columns, _ = picture.pixels.shape
    told = {name: value for name, value in asdict(picture).items() if name != "pixels"}
    line = json.dumps(told | {"rows": rows, "columns": columns}).encode() + b"\n"
    _send(to, line, picture.pixels.data.cast("B"))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one at the keyboard means our parent
    os.nice(_NICENESS)
    with socket.socket(fileno=os.dup(0)) as asked, suppress(EOFError, OSError):
        serve(asked)
