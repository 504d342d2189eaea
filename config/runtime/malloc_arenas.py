"""Keeps what a worker frees from being spread over as many heaps as it has threads.

glibc gives threads heaps of their own, eight for each core. A worker's thirty threads each free
large arrays in theirs, where no other finds them (docs/benchmarks/memory.md). Two heaps are enough
for threads that wait for the device, or for each other.
"""

import ctypes

MOST = 2
_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


def cap() -> None:
    """Before threads are begun; where the C library is another one, nothing is done."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, MOST)
