"""Deficit round robin, against the slow walk around the ring that the paper describes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from generation.request_rules.deficit_round_robin import QUANTUM_MS, due_round, spent_at

QUANTUM = 10
Lines = dict[int, list[int]]


def walk(lines: Lines) -> list[int]:
    """Who is served, in order, as the paper writes it: stop by stop, and who has nothing to do
    leaves the ring and the account."""
    waiting = {who: list(costs) for who, costs in lines.items()}
    accounts = dict.fromkeys(waiting, 0)
    turn, served = 0, []
    while waiting:
        while turn in waiting and accounts[turn] >= waiting[turn][0]:
            accounts[turn] -= waiting[turn].pop(0)
            served.append(turn)
            if not waiting[turn]:
                del waiting[turn], accounts[turn]
        if waiting:
            turn = min((who for who in waiting if who > turn), default=min(waiting))
            accounts[turn] += QUANTUM
    return served


@dataclass
class Ring:
    """Shares as the table keeps them, by their place."""

    quantum: int
    now: int = 1
    spent: dict[int, int] = field(default_factory=dict)
    due: dict[int, int] = field(default_factory=dict)

    def join(self, who: int, cost: int) -> None:
        self.spent[who] = spent_at(self.now, quantum=self.quantum)
        self.due[who] = due_round(self.spent[who], cost, now=self.now, quantum=self.quantum)

    def serve(self, waiting: Lines) -> int:
        who = min(self.due, key=lambda place: (self.due[place], place))
        self.now = max(self.now, self.due[who])
        self.spent[who] += waiting[who].pop(0)
        if waiting[who]:
            cost = waiting[who][0]
            self.due[who] = due_round(
                self.spent[who], cost, now=self.due[who], quantum=self.quantum
            )
        else:
            del waiting[who], self.spent[who], self.due[who]
        return who


def served_by(ring: Ring, lines: Lines) -> list[int]:
    waiting = {who: list(costs) for who, costs in lines.items()}
    for who, costs in sorted(waiting.items()):
        ring.join(who, costs[0])
    served = []
    while waiting:
        served.append(ring.serve(waiting))
    return served


@given(st.dictionaries(st.integers(1, 6), st.lists(st.integers(0, 95), min_size=1), min_size=1))
def test_rounds_that_are_counted_serve_whom_the_walk_serves(lines: Lines) -> None:
    assert served_by(Ring(QUANTUM), lines) == walk(lines)


def test_nobody_begins_with_anything_in_the_account() -> None:
    assert served_by(Ring(QUANTUM), {1: [11], 2: [10]}) == [2, 1]


def test_projects_of_dear_and_cheap_requests_get_the_same_device_time() -> None:
    costs = {1: 50, 2: 5, 3: 20}
    spent = Counter[int]()
    for who in served_by(Ring(QUANTUM), {who: [cost] * 3000 for who, cost in costs.items()})[:3000]:
        spent[who] += costs[who]
    assert max(spent.values()) - min(spent.values()) <= 2 * max(costs.values())


def test_a_hundred_cheap_requests_are_not_served_in_a_row() -> None:
    served = served_by(Ring(QUANTUM_MS), {who: [40] * 100 for who in (1, 2, 3)})[:30]
    assert max(len(list(group)) for _, group in groupby(served)) <= 2


def test_whoever_comes_later_waits_for_nothing_that_others_have_spent() -> None:
    ring, waiting = Ring(QUANTUM_MS), {1: [1000] * 10, 2: [1000] * 10}
    for who in (1, 2):
        ring.join(who, 1000)
    for _ in range(6):
        ring.serve(waiting)
    waiting[3] = [40]
    ring.join(3, 40)
    assert ring.serve(waiting) == 3


def test_whoever_joins_has_one_quantum_at_the_first_turn() -> None:
    for now in (1, 9):
        assert due_round(spent_at(now), QUANTUM_MS, now=now) == now
        assert due_round(spent_at(now), QUANTUM_MS + 1, now=now) == now + 1
