"""Open streams: what waits on an account's behalf: a stream of events, a long poll.

A seat is taken before anything is opened, in one step without a pause, so that sixty that come
together get no more than one by one; then in the cache, where all web processes count together.
While the cache is away, each process counts for itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

from generation.studio import shared_places

LEASE_S = 60
"""How long a seat of a process that died stays taken."""
_in_order = ThreadPoolExecutor(1, "seats")
"""One thread: whoever gives a seat back and asks for one again finds it free."""


class OpenStream:
    """One that was taken. Giving it back twice gives it back once."""

    def __init__(self, seats: OpenStreams, account: int) -> None:
        self._taken = seats.taken
        self._most = seats.most
        self._account = account
        self._key = f"streams:{seats.name}:{account}"
        self._name = uuid4().hex
        self._is_held = True
        seats.taken[account] += 1

    async def keep(self) -> bool:
        """Takes the seat among all processes, or keeps it for longer; whether there was one."""
        return await asyncio.get_running_loop().run_in_executor(
            _in_order, shared_places.take, self._key, self._name, self._most, LEASE_S
        )

    def give_back(self) -> None:
        if not self._is_held:
            return
        self._is_held = False
        self._taken[self._account] -= 1
        if not self._taken[self._account]:
            del self._taken[self._account]
        with suppress(RuntimeError):  # the process is ending
            _in_order.submit(shared_places.leave, self._key, self._name)

    def __del__(self) -> None:
        """A response that nobody ever read or closed."""
        self.give_back()


class OpenStreams:
    """At most `most` of one account at once. Streams of another `name` count for themselves."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.most = most
        self.taken: Counter[int] = Counter()

    async def take(self, account: int) -> OpenStream | None:
        if self.taken[account] >= self.most:
            return None
        stream = OpenStream(self, account)
        if await stream.keep():
            return stream
        stream.give_back()
        return None
