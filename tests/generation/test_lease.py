"""A lease knows whether it was lost by being cut off from the database, or by hanging."""

from __future__ import annotations

from threading import Event
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from adapters.models import BaseModel
from generation.line import claims
from generation.line.claims import Claim, Heartbeat
from generation.work import lease, worker
from generation.work.lease import Lease
from tests.factories import NOON, make_request
from tests.fakes import FrozenClock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("waited_s", "is_cut_off"), [(0.01, False), (25.0, True)])
def test_who_waited_long_for_a_connection_and_got_it_was_cut_off(
    waited_s: float, is_cut_off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool waits half a minute before it raises, longer than a lease lasts."""
    passed_s = [0.0]

    def look(claim: Claim) -> Heartbeat:
        passed_s[0] += waited_s
        return Heartbeat(is_held=False, is_cancel_requested=False)

    monkeypatch.setattr(lease, "monotonic", lambda: passed_s[0])
    monkeypatch.setattr(claims, "look", look)
    held = Lease(Claim(uuid4(), uuid4()), now=lambda: NOON)
    held._beat()
    assert held.was_cut_off == is_cut_off
    assert held.should_stop()


def test_attempt_is_given_back_where_the_lease_hears_last_that_it_was_cut_off(
    alice: User, tiny: BaseModel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread waits for a connection still when the one that draws has one again."""
    request = make_request(alice, tiny)
    began = Event()

    def wait_for_a_connection(held: Lease) -> Heartbeat:
        began.set()
        assert held._done.wait(30)
        raise OperationalError

    def hear_that_it_is_lost(*_: object, **__: object) -> None:
        assert began.wait(30)
        request.refresh_from_db()
        request.enqueue(at=NOON)  # by the sweeper
        raise claims.LeaseLost

    monkeypatch.setattr(Lease, "_renewed", wait_for_a_connection)
    monkeypatch.setattr(Lease, "_is_due", lambda _: True)
    monkeypatch.setattr(worker, "_make", hear_that_it_is_lost)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("queued", 0)
