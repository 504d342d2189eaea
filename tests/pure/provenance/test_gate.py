"""How many look at pictures at once, and what the others are told."""

from threading import Event, Thread

import pytest

from config.core.gate import Busy, Gate


def test_gate_refuses_who_would_wait_where_enough_do(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, inside, leave, done = Gate(1, most_waiting=1, patience_s=60), Event(), Event(), Event()

    def hold() -> None:
        with gate.passed():
            inside.set()
            leave.wait()

    def follow() -> None:
        with gate.passed():
            done.set()

    first, second = Thread(target=hold, daemon=True), Thread(target=follow, daemon=True)
    first.start()
    inside.wait()
    second.start()
    while not gate.waiting:
        pass
    monkeypatch.setattr(gate._changed, "wait_for", lambda *_: pytest.fail("told only after a wait"))
    with pytest.raises(Busy), gate.passed():
        pass
    assert not done.is_set()
    leave.set()
    first.join()
    second.join()
    assert done.is_set()


def test_gate_refuses_who_waited_long_enough() -> None:
    gate = Gate(1, most_waiting=1, patience_s=0)
    with gate.passed(), pytest.raises(Busy), gate.passed():
        pass
    with gate.passed():
        pass


def test_gate_opens_again_after_an_error() -> None:
    gate = Gate(1, most_waiting=0, patience_s=0)
    with pytest.raises(ZeroDivisionError), gate.passed():
        _ = 1 / 0
    with gate.passed():
        pass
