"""Deficit round robin among projects, in predicted device milliseconds. Pure.

Source: Shreedhar and Varghese, "Efficient Fair Queuing using Deficit Round Robin", SIGCOMM 1995.
Whoever waits stands in a ring. Each round pays a quantum into everybody's account; whoever's
account covers the next request is served. Who has nothing to do leaves the ring and the account.

Rounds are numbered from the beginning, so what an account holds need not be written down at each
of them: it is the rounds so far times the quantum, less what was spent. The round in which the next
request is covered then depends on nobody else, and changes only when its own project is served.
"""

from __future__ import annotations

QUANTUM_MS = 50
"""Less than most requests cost, so that everybody is served one at a time: with more, whoever has a
hundred cheap requests in line would have a second's worth of them served in a row. A small quantum
costs nothing here, because rounds are counted, not walked."""


def spent_at(now: int, *, quantum: int = QUANTUM_MS) -> int:
    """Of somebody who joins in round `now`, as its last: the account is empty until its turn."""
    return (now - 1) * quantum


def due_round(spent_ms: int, cost_ms: int, *, now: int, quantum: int = QUANTUM_MS) -> int:
    """The round, not before `now`, in which an account from which `spent_ms` was taken covers
    `cost_ms` more. Whoever is due first, and of those of one round who joined first, is served.
    """
    return max(now, -(-(spent_ms + cost_ms) // quantum))
