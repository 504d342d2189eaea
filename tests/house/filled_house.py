"""One small house with something on every page, for the snapshots of `test_unchanged.py`.

It is filled as people fill it, over the pages, and with the rows that the tests' own factories
make. The clock goes on by a second with every act, and stands still between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.humanize.templatetags import humanize
from django.core.management.color import no_style
from django.db import connection
from django.template import defaulttags
from django.test import Client
from django.utils import timezone

from tests import factories
from tests.fakes import FrozenClock
from tests.moderation import makers
from tests.provenance.conftest import record, seal
from tests.provenance.pictures import photograph

CLOCK = FrozenClock(makers.NOON)
PASSWORD = "a long test password"
CAST = {
    "alice": (),
    "bob": ("moderators",),
    "carol": ("moderators", "senior moderators"),
    "dora": ("compliance",),
    "erin": ("moderators", "senior moderators"),
    "mallory": (),
    "olga": ("operators",),
}


@dataclass
class House:
    """`found` names what can be put into an address: `images/` → {"a released one": its id}."""

    people: dict[str, User] = field(default_factory=dict)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        """Signed in, or nobody where nobody has that name."""
        client = Client()
        if who in self.people:
            client.force_login(self.people[who])
        return client

    def fill_in(self, route: str) -> Iterator[tuple[str, str]]:
        """(title, path) for each thing that the house has there, by the longest fitting address."""
        plain = route.removeprefix("/api/v1").replace("/generations/", "/requests/")
        fitting = [place for place in self.found if plain.startswith(f"/{place}<")]
        if not fitting:
            yield route, route
            return
        for name, value in self.found[max(fitting, key=len)].items():
            before, _, after = route.partition("<")
            rest = after.partition(">")[2]
            yield f"{before}{{{name}}}{rest}", f"{before}{value}{rest}"

    def post(self, who: str, path: str, form: dict[str, Any] | None = None) -> Any:
        """What somebody does on a page; it has to work."""
        client = self.client(who)
        tick()
        answer = client.post(path, form or {})
        assert answer.status_code in {200, 204, 302}, (path, answer.status_code, answer.content)
        return answer


class StoppedClock(datetime):
    """For what reads the clock past `timezone.now`: "2 hours ago" in a template."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return CLOCK().astimezone(tz) if tz else CLOCK().replace(tzinfo=None)


def stop_the_clock(patch: pytest.MonkeyPatch) -> None:
    CLOCK.at = makers.NOON
    patch.setattr(timezone, "now", CLOCK)
    for module in (humanize, defaulttags):
        patch.setattr(module, "datetime", StoppedClock)


def tick() -> datetime:
    return CLOCK.forward(1)


def fill(roles: dict[str, Group]) -> House:
    _count_from_one()
    house = House({name: _person(name, roles) for name in CAST})
    _draw(house)
    _moderate(house)
    _report(house)
    _govern(house)
    return house


def _count_from_one() -> None:
    """Numbers of rows go on where another test's stopped, unless they are told not to."""
    for statement in connection.ops.sequence_reset_sql(no_style(), list(apps.get_models())):
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _person(name: str, roles: dict[str, Group]) -> User:
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, date_joined=tick())
    user.groups.set([roles[group] for group in CAST[name]])
    user.is_staff = name == "olga"
    user.save()
    return user


def _draw(house: House) -> None:
    alice, model = house.people["alice"], factories.make_model()
    factories.make_adapter(model, created_at=tick())
    factories.make_adapter(
        model,
        slug="own",
        owner=alice,
        state="accepted",
        visibility="private",
        file="adapters/own",
        created_at=tick(),
    )
    requests = {
        status: factories.make_request(
            alice, model, status=status, prompt=f"a {status} apple", created_at=tick()
        )
        for status in ("submitted", "queued", "running", "refused", "failed", "cancelled")
    }
    images = {
        state: factories.make_image(
            alice, model, state=state, prompt=f"a {state} pear", created_at=tick()
        )
        for state in ("released", "held", "withheld")
    }
    requests["finished"] = images["released"].request
    house.found["requests/"] = {status: row.id for status, row in requests.items()}
    house.found["images/"] = {state: row.id for state, row in images.items()}
    house.found["adapters/"] = {"flat": "flat", "own": "own"}
    marked = record(seal(photograph("astronaut")))
    house.found["assets/"] = {"marked": marked.id}


def _moderate(house: House) -> None:
    alice, bob, carol = (house.people[name] for name in ("alice", "bob", "carol"))
    waiting = makers.prompt_case(alice, at=tick())
    severe = makers.severe_case(alice, at=tick())
    picture, _ = makers.image_case(alice, at=tick())
    held, _ = makers.claimed(makers.prompt_case(alice, at=tick()), bob, at=CLOCK())
    refused = makers.refused_by(bob, alice, at=tick())
    automatic = makers.refused_by_machine(alice, at=tick())
    house.post("bob", f"/review/cases/{waiting.id}/note/", {"text": "Seen before."})
    house.post("bob", "/review/views/save/", {"name": "Prompts", "query": "kind=prompt"})
    house.post("carol", f"/review/cases/{picture.id}/claim/")
    house.post("carol", f"/review/cases/{picture.id}/reveal/")
    house.post(
        "alice", f"/statements/{refused.statement.id}/appeal/", {"grounds": "It is a candle."}
    )
    proposed, token = makers.claimed(makers.prompt_case(alice, at=tick()), bob, at=CLOCK())
    form = {"token": token, "action": "refuse", "refuse_reason": "nudity", "explanation": "Bare."}
    house.post("bob", f"/review/cases/{proposed.id}/decide/", form)
    house.found["review/cases/"] = {
        "waiting": waiting.id,
        "severe": severe.id,
        "picture": picture.id,
        "held": held.id,
        "proposed": proposed.id,
        "decided": refused.case_id,
    }
    house.found["statements/"] = {"contested": refused.statement.id, "new": automatic.statement.id}
    house.found["appeals/"] = {"waiting": refused.appeal.id}


def _report(house: House) -> None:
    """A visitor reports a picture that Verify was asked about."""


def _govern(house: House) -> None:
    house.post("carol", "/review/banks/new/", {"name": "Known ones", "category": "hate"})
    house.post("olga", "/roles/ask/", {"account": "mallory", "kind": "give", "role": "moderators"})
    asked = apps.get_model("house", "RoleChange").objects.get()
    house.found["roles/"] = {"asked": asked.pk}
    house.found["review/banks/"] = {"known": "known-ones"}
    factories.make_key(house.people["alice"], "read")
