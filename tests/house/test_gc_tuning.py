"""A full collection does not walk through what was loaded for good; threads share two heaps."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from config.launch.embedded_servers import ROOT
from config.runtime import gc_tuning, malloc_arenas


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_a_full_collection_leaves_out_what_was_loaded_before() -> None:
    before = len(gc.get_objects())
    gc_tuning.settle()
    assert len(gc.get_objects()) < before / 10


def test_garbage_of_later_is_collected_all_the_same() -> None:
    gc_tuning.settle()
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() > 0


COUNT_HEAPS = """
import ctypes, sys
from threading import Barrier, Thread
if sys.argv[1] == "capped":
    from config.runtime import malloc_arenas
    malloc_arenas.cap()
together = Barrier(12)
def work():
    kept = bytearray(5000)
    together.wait()
threads = [Thread(target=work) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
"""


def heaps_of_twelve_threads(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_HEAPS, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_threads_of_a_worker_share_two_heaps() -> None:
    assert heaps_of_twelve_threads("usual") > malloc_arenas.MOST
    assert heaps_of_twelve_threads("capped") <= malloc_arenas.MOST
