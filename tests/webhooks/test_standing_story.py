"""A product's server is told, signed, of what happens to the standing of one of its people: a
warning, a suspension, its end by time, and a warning that is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from config.core.projects import end_users
from config.webhooks import endpoints
from config.webhooks.deliveries import sending
from moderation.account_status import end_user_standing
from moderation.decisions import enforcing
from moderation.models import Decision
from tests.factories import NOON
from tests.projects.makers import make_project
from tests.projects.test_standing import asked, decided, suspended
from tests.webhooks.conftest import Listen
from tests.webhooks.receivers import says

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_product_is_told_of_a_warning_a_suspension_and_the_return(
    alice: User, bob: User, carol: User, listen: Listen
) -> None:
    team = make_project(alice)
    eve = end_users.seen(team, "eve", at=NOON)
    receiver = listen(says(204))
    types = ["end_user.warned", "end_user.suspended", "end_user.restored"]
    made_at = team.created_at
    endpoint, secret = endpoints.make(team.id, by=alice, url=receiver.url, types=types, at=made_at)

    def is_told() -> tuple[str, dict[str, Any]]:
        """The one thing more that the product's server hears, verified by its own library."""
        before = len(receiver.received)
        sending.deliver(endpoint.id, now=lambda: timezone.now() + timedelta(seconds=1))
        [got] = receiver.received[before:]
        said = Webhook(secret).verify(got.body, got.headers)
        assert said["data"].pop("end_user_id") == str(eve.pk)
        assert b"eve" not in got.body
        return said["type"], said["data"]

    with transaction.atomic():
        warning = decided(asked(alice, team, eve), bob, carol, "warn")
    assert is_told() == ("end_user.warned", of(warning, "warned"))

    with transaction.atomic():
        suspension = suspended(asked(alice, team, eve), bob, carol)
    until = (NOON + timedelta(days=7)).isoformat()
    assert is_told() == ("end_user.suspended", of(suspension, "suspended", until))

    end_user_standing.let_return(at=NOON + timedelta(days=7))
    assert is_told() == ("end_user.restored", of(suspension, "warned"))

    with transaction.atomic():
        enforcing.reverse(suspension, by=carol, explanation="No.", at=NOON)
        undone = enforcing.reverse(warning, by=carol, explanation="No.", at=NOON)
    assert is_told() == ("end_user.restored", of(undone, "good"))


def of(decision: Decision, state: str, until: str | None = None) -> dict[str, Any]:
    return {"state": state, "until": until, "decision_id": str(decision.id)}
