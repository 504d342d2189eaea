"""The process that large and risky pictures are decoded in: what it bounds, what it survives."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from provenance.pictures import decoder, file_parts, pixel_decoding, sandbox
from tests.provenance.big_pictures import plain_png
from tests.provenance.files import saved
from tests.provenance.shown_pictures import cases, drawing

HEIC = Path(__file__).parent / "drawing.heic"


def test_room_gives_what_is_decoded_here() -> None:
    data = saved(drawing(3000, 2000), "PNG")
    here = pixel_decoding.decode(file_parts.inspect(data))
    theirs = sandbox.read(data)
    assert (theirs.pixels == here.pixels).all()
    assert (theirs.notes, theirs.mime, theirs.width) == (here.notes, here.mime, here.width)


def test_room_tells_why_a_file_is_not_read() -> None:
    data = saved(drawing(3000, 2000), "PNG")
    with pytest.raises(decoder.PictureUnreadable) as refusal:
        sandbox.read(data[: len(data) // 2])
    assert (refusal.value.code, refusal.value.status) == ("picture_unreadable", 422)


SERVE = """
import os, resource, signal, socket
from pathlib import Path
import numpy as np
from provenance.pictures import pixel_decoding, refusals, sandbox

def decode(*_args, **_named):
    {}

pixel_decoding.decode = decode
sandbox.serve(socket.socket(fileno=0))
"""
GREEDY = """
    try:
        np.zeros(sandbox.MEMORY_BYTES + 2**20, np.uint8)
    except MemoryError as error:
        raise refusals.PictureTooCostly from error
"""
ENDLESS_ONCE = """
    if Path("{}").exists():
        raise refusals.PictureTooSmall
    Path("{}").touch()
    resource.setrlimit(resource.RLIMIT_CPU, (1, sandbox.CPU_S))
    while True:
        pass
"""
Serve = Callable[[str], socket.socket]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A sandbox that decodes by another function, of which the body is given."""
    with ExitStack() as stack:

        def start(body: str) -> socket.socket:
            ours, theirs = (stack.enter_context(each) for each in socket.socketpair())
            command = [sys.executable, "-c", SERVE.format(body)]
            process = subprocess.Popen(command, stdin=theirs.fileno(), stderr=subprocess.DEVNULL)
            theirs.close()
            stack.callback(process.wait)
            stack.callback(ours.close)
            return ours

        yield start


def _asked(connection: socket.socket) -> bytearray:
    sandbox._send(connection, b"\0" + saved(drawing(), "PNG"))
    return sandbox._receive(connection)


def test_kernel_bounds_what_a_child_allocates(serve: Serve) -> None:
    assert b"picture_too_costly" in _asked(serve(GREEDY))


def test_child_that_takes_too_long_is_ended_and_the_next_is_served(
    serve: Serve, tmp_path: Path
) -> None:
    mark = tmp_path / "asked"
    connection = serve(ENDLESS_ONCE.format(mark, mark))
    assert _asked(connection) == b'{"error": {}}\n'
    assert b"picture_too_small" in _asked(connection)


def test_child_that_a_decoder_breaks_is_told_as_too_costly(serve: Serve) -> None:
    answer = _asked(serve("os.kill(os.getpid(), signal.SIGSEGV)"))
    with pytest.raises(decoder.PictureTooCostly):
        sandbox._picture(answer)


def test_sandbox_that_was_killed_is_replaced() -> None:
    data = saved(drawing(3000, 2000), "PNG")
    sandbox.read(data)
    free = sandbox._sandboxes.take()
    free._process.kill()
    free._process.wait()
    sandbox._sandboxes.give_back(free)
    assert sandbox.read(data).width == 3000


def test_several_are_decoded_at_once_and_none_gets_anothers_picture() -> None:
    sizes, found = [(2400, 2000 + 100 * number) for number in range(6)], {}
    files = {size: plain_png(*size) for size in sizes}

    def look(size: tuple[int, int]) -> None:
        found[size] = decoder.read(files[size])

    threads = [Thread(target=look, args=[size]) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {size: (each.width, each.height) for size, each in found.items()} == {
        size: size for size in sizes
    }


def test_picture_with_a_profile_or_of_a_newer_format_is_decoded_in_the_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    monkeypatch.setattr(sandbox, "read", asked.append)
    shown = cases()
    files = [shown[name] for name in ("p3.png", "p3.jpg", "grey_16.png", "lossy.avif")]
    files.append(HEIC.read_bytes())
    for data in files:
        decoder.read(data)
    assert asked == files


def test_heic_is_read_upright() -> None:
    """The file is of 64 by 96 coded pixels with a turn by 90 degrees, made with pillow-heif."""
    picture = decoder.read(HEIC.read_bytes())
    expected = np.asarray(drawing(), int)
    assert picture.mime == "image/heic"
    assert picture.pixels.shape == expected.shape
    assert np.abs(picture.pixels - expected).mean() < 6
