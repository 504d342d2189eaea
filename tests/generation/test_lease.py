"""A lease knows whether it was lost by being cut off from the database, or by hanging."""

from __future__ import annotations

from uuid import uuid4

import pytest

from generation.line import claims
from generation.line.claims import Claim, Heartbeat
from generation.work import lease
from generation.work.lease import Lease
from tests.factories import NOON

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
