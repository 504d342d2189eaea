"""Open streams: what waits on an account's behalf: a stream of events, a long poll.

A seat is taken before anything is opened, in one step without a pause, so that sixty that come
together get no more than one by one. Counted in one web process.
"""

from __future__ import annotations

from collections import Counter


class OpenStream:
    """One that was taken. Giving it back twice gives it back once."""

    def __init__(self, taken: Counter[int], account: int) -> None:
        self._taken = taken
        self._account = account
        self._is_held = True
        taken[account] += 1

    def give_back(self) -> None:
        if not self._is_held:
            return
        self._is_held = False
        self._taken[self._account] -= 1
        if not self._taken[self._account]:
            del self._taken[self._account]

    def __del__(self) -> None:
        """A response that nobody ever read or closed."""
        self.give_back()


class OpenStreams:
    """At most `most` of one account at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken: Counter[int] = Counter()

    def take(self, account: int) -> OpenStream | None:
        return None if self.taken[account] >= self.most else OpenStream(self.taken, account)
