"""Deficit round robin, against the slow walk around the ring that the paper describes."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from generation.request_rules.deficit_round_robin import Ring, serve

QUANTUM = 10.0


def slow_serve(ring: Ring, costs: dict[int, float]) -> tuple[int, Ring]:
    """Walk the ring stop by stop, as the paper writes it."""
    accounts = {user: ring.accounts.get(user, 0.0) for user in costs}
    users = sorted(costs)
    if ring.turn in costs and accounts[ring.turn] >= costs[ring.turn]:
        accounts[ring.turn] -= costs[ring.turn]
        return ring.turn, Ring(ring.turn, accounts)
    turn = ring.turn
    while True:
        later = [user for user in users if turn is None or user > turn]
        turn = later[0] if later else users[0]
        accounts[turn] += QUANTUM
        if accounts[turn] >= costs[turn]:
            accounts[turn] -= costs[turn]
            return turn, Ring(turn, accounts)


@given(
    st.dictionaries(st.integers(1, 6), st.integers(0, 95), min_size=1),
    st.one_of(st.none(), st.integers(1, 6)),
    st.dictionaries(st.integers(1, 6), st.integers(0, 60)),
)
def test_serve_chooses_what_the_walk_chooses(
    costs: dict[int, int], turn: int | None, accounts: dict[int, int]
) -> None:
    ring = Ring(turn, {user: float(ms) for user, ms in accounts.items()})
    asked = {user: float(ms) for user, ms in costs.items()}
    assert serve(ring, asked, quantum=QUANTUM) == slow_serve(ring, asked)


def test_nobody_begins_with_anything_in_the_account() -> None:
    chosen, ring = serve(Ring(None, {}), {1: 11.0, 2: 10.0}, quantum=QUANTUM)
    assert (chosen, ring.accounts) == (2, {1: 10.0, 2: 0.0})


def test_users_of_dear_and_cheap_requests_get_the_same_device_time() -> None:
    ring, spent, costs = Ring(None, {}), Counter[int](), {1: 50.0, 2: 5.0, 3: 20.0}
    for _ in range(3000):
        chosen, ring = serve(ring, costs, quantum=QUANTUM)
        spent[chosen] += int(costs[chosen])
    assert max(spent.values()) - min(spent.values()) <= 2 * max(costs.values())


def test_a_hundred_cheap_requests_are_not_served_in_a_row() -> None:
    ring, costs = Ring(None, {}), {1: 40.0, 2: 40.0, 3: 40.0}
    served = []
    for _ in range(30):
        chosen, ring = serve(ring, costs)
        served.append(chosen)
    in_a_row = max(len(list(group)) for _, group in groupby(served))
    assert in_a_row <= 2
