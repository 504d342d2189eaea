"""Deficit round robin among users, in predicted device milliseconds. Pure.

Source: Shreedhar and Varghese, "Efficient Fair Queuing using Deficit Round Robin", SIGCOMM 1995.
Users stand in a ring. Whoever's turn it is may spend what is in the account; then the turn passes
on, and with it a quantum is paid in. A user with nothing to do leaves the ring and the account.
Instead of walking the ring round by round, the rounds that each user still needs are counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

QUANTUM_MS = 50.0
"""Less than most requests cost, so that a user is served one at a time: with more, whoever has a
hundred cheap requests in line would have a second's worth of them served in a row. A small quantum
costs nothing here, because rounds are counted, not walked."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Whose turn it is (None at first), and what each waiting user has in the account, in ms."""

    turn: int | None
    accounts: Mapping[int, float]


def serve(
    ring: Ring, costs: Mapping[int, float], *, quantum: float = QUANTUM_MS
) -> tuple[int, Ring]:
    """Who is served next, and the ring after it. `costs` holds the next request of each waiting
    user in ms, and is not empty."""
    order = _visited(ring, costs)
    stops = {
        user: _stop(user, place, ring, costs[user], quantum) for place, user in enumerate(order)
    }
    chosen = min(order, key=lambda user: stops[user])
    last_round, last_place = stops[chosen]
    accounts = {}
    for place, user in enumerate(order):
        visits = last_round if place <= last_place else last_round - 1
        accounts[user] = ring.accounts.get(user, 0.0) + visits * quantum
    accounts[chosen] -= costs[chosen]
    return chosen, Ring(chosen, accounts)


def _visited(ring: Ring, costs: Mapping[int, float]) -> list[int]:
    """Waiting users in the order in which the turn comes by: whose turn it is now comes last."""
    turn = ring.turn
    return sorted(costs, key=lambda user: (turn is not None and user <= turn, user))


def _stop(user: int, place: int, ring: Ring, cost: float, quantum: float) -> tuple[int, int]:
    """The round, and the place in it, at which the account covers the cost; before the first place
    is now."""
    needed = math.ceil((cost - ring.accounts.get(user, 0.0)) / quantum)
    if user == ring.turn and needed <= 0:
        return 1, -1
    return max(needed, 1), place
