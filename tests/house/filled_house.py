"""One small house with something on every page, for the snapshots of `test_unchanged.py`.

It is filled as people fill it, over the pages, and with the rows that the tests' own factories
make. The clock goes on by a second with every act, and stands still between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from html import unescape
from io import StringIO
from typing import Any, Self

import pytest
from allauth.account.models import EmailAddress
from celery import current_app
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.humanize.templatetags import humanize
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection
from django.template import defaulttags
from django.test import Client, TestCase, override_settings
from django.utils import timezone

from config.core import clock
from tests import factories
from tests.fakes import FrozenClock
from tests.moderation import makers
from tests.moderation.audits.makers import traffic
from tests.provenance.conftest import Marked, record, seal
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

    people: dict[str, User]
    marked: Marked
    mails: list[EmailMessage] = field(default_factory=list)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        """Signed in, or nobody where nobody has that name."""
        client = Client()
        if who in self.people:
            client.force_login(User.objects.get(username=who))
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
        with acting():
            answer = client.post(path, form or {})
        assert answer.status_code in {200, 204, 302}, (path, answer.status_code, answer.content)
        return answer

    def decide(self, who: str, case_id: Any, *, confirmed_by: str = "", **form: str) -> None:
        """Claim, decide, have it confirmed, and let the time pass in which it could be undone."""
        path = f"/review/cases/{case_id}/"
        self.post(who, f"{path}claim/")
        page = self.client(who).get(path).content.decode()
        form["token"] = written(page, r'name="token" value="([^"]+)"')
        self.post(who, f"{path}decide/", form)
        if confirmed_by:
            self.post(confirmed_by, f"{path}confirm/")
        CLOCK.forward(60)
        run("moderation.tasks.settle_decisions")


class StoppedClock(datetime):
    """For what reads the clock past `timezone.now`: "2 hours ago" in a template."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(CLOCK().timestamp(), tz)


def stop_the_clock(patch: pytest.MonkeyPatch) -> None:
    CLOCK.at = makers.NOON
    patch.setattr(timezone, "now", CLOCK)
    patch.setattr(clock, "now", CLOCK)
    for module in (humanize, defaulttags):
        patch.setattr(module, "datetime", StoppedClock)


@contextmanager
def acting() -> Iterator[None]:
    """A second later; what is sent once it is committed is done at once, as by a worker."""
    tick()
    with TestCase.captureOnCommitCallbacks(execute=True):
        yield


def run(task: str) -> None:
    """What beat has a worker do."""
    with acting():
        current_app.loader.import_default_modules()
        current_app.tasks[task].apply(throw=True)


def written(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    assert found is not None, (pattern, page)
    return found[1]


def tick() -> datetime:
    return CLOCK.forward(1)


def fill(roles: dict[str, Group]) -> House:
    _count_from_one()
    mail.outbox.clear()
    people = {name: _person(name, roles) for name in CAST}
    house = House(people, record(seal(photograph("astronaut"))))
    for chapter in (_draw, _moderate, _report, _come_in, _make_policy, _govern, _turn_keys):
        chapter(house)
    house.mails = list(mail.outbox)
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
    images["marked"] = factories.make_image(
        alice, model, id=house.marked.id, prompt="an astronaut", created_at=tick()
    )
    run("provenance.tasks.sequence_log")
    requests["finished"] = images["released"].request
    house.found["requests/"] = {status: row.id for status, row in requests.items()}
    house.found["images/"] = {state: row.id for state, row in images.items()}
    house.found["adapters/"] = {"flat": "flat", "own": "own"}
    house.found["log/proof/"] = {"marked": house.marked.id}
    house.found["log/entry/"] = {"first": 0}


def _moderate(house: House) -> None:
    alice, bob = house.people["alice"], house.people["bob"]
    cases = {
        "waiting": makers.prompt_case(alice, at=tick()),
        "severe": makers.severe_case(alice, at=tick()),
        "picture": makers.image_case(alice, at=tick())[0],
        "held": makers.claimed(makers.prompt_case(alice, at=tick()), bob, at=CLOCK())[0],
        "proposed": makers.prompt_case(alice, at=tick()),
        "allowed": makers.prompt_case(alice, at=tick()),
        "suspended": makers.prompt_case(house.people["mallory"], at=tick()),
    }
    house.found["review/cases/"] = {name: case.id for name, case in cases.items()}
    house.post("bob", f"/review/cases/{cases['waiting'].id}/note/", {"text": "Seen before."})
    house.post("bob", "/review/views/save/", {"name": "Prompts", "query": "kind=prompt"})
    house.post("carol", f"/review/cases/{cases['picture'].id}/claim/")
    house.post("carol", f"/review/cases/{cases['picture'].id}/reveal/")
    house.decide("bob", cases["allowed"].id, action="allow", allow_reason="within_policy")
    suspend = {"action": "suspend", "refuse_reason": "nudity", "days": "7"}
    house.decide("bob", cases["suspended"].id, confirmed_by="carol", **suspend)
    _contest(house)
    house.decide("bob", cases["proposed"].id, **suspend)


def _contest(house: House) -> None:
    """Four decisions: one that nobody contests, and three appeals."""
    alice, bob = house.people["alice"], house.people["bob"]
    with acting():
        decisions = [makers.refused_by_machine(alice, at=tick())]
    for _ in range(3):
        with acting():
            decisions.append(makers.refused_by(bob, alice, at=tick()))
        path = f"/statements/{decisions[-1].statement.id}/appeal/"
        house.post("alice", path, {"grounds": "It is a candle."})
    new, waiting, upheld, reversed_ = decisions
    hear = {"outcome": "upheld", "reasons": "It is not."}
    house.post("carol", f"/appeals/{upheld.appeal.id}/hear/", hear)
    hear = {"outcome": "reversed", "reasons": "Indeed a candle."}
    house.post("carol", f"/appeals/{reversed_.appeal.id}/hear/", hear)
    contested = {"waiting": waiting, "upheld": upheld, "reversed": reversed_}
    house.found["statements/"] = {
        name: decision.statement.id for name, decision in ({"new": new} | contested).items()
    }
    house.found["appeals/"] = {name: decision.appeal.id for name, decision in contested.items()}
    house.found["review/cases/"]["decided"] = waiting.case_id


def _report(house: House) -> None:
    """A visitor and somebody with an account report a picture that Verify was asked about."""
    file = SimpleUploadedFile("a.png", house.marked.sealed.data)
    verified = house.post("visitor", "/verify/", {"file": file}).content.decode()
    address = unescape(written(verified, r'href="(/report/[^"]+)"'))
    opened = house.client("visitor").get(address).content.decode()
    form = {"category": "minors", "explanation": "She is a child.", "is_in_good_faith": "on"}
    form |= {"sighting": written(opened, r'name="sighting" value="([^"]+)"')}
    named = {"name": "Eve", "email": "eve@example.org"}
    answers = [
        house.post("visitor", "/report/", form | named),
        house.post("mallory", "/report/", form),
    ]
    keys = [answer["Location"].strip("/").split("/")[-1] for answer in answers]
    house.found["reported/"] = dict(zip(("by a visitor", "by an account"), keys, strict=True))
    case = apps.get_model("moderation", "ReviewCase").objects.get(subject_id=house.marked.id)
    house.found["review/cases/"]["reported"] = case.id
    house.post("carol", f"/review/cases/{case.id}/claim/")
    house.post("carol", f"/review/cases/{case.id}/reveal/")
    form = {"action": "refuse", "refuse_reason": "minors", "explanation": "A child."}
    house.decide("carol", case.id, confirmed_by="erin", **form)


def _come_in(house: House) -> None:
    """Everything that the doors mail."""
    alice = house.people["alice"]
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    words = {"password1": PASSWORD, "password2": PASSWORD}
    with override_settings(ACCOUNT_EMAIL_VERIFICATION="mandatory"):
        for name, address in (("grace", "grace"), ("alice", "heidi"), ("ivan", "alice")):
            form = words | {"username": name, "email": f"{address}@example.org"}
            house.post("visitor", "/accounts/signup/", form)
    for name in ("alice", "nobody"):
        house.post("visitor", "/accounts/password/reset/", {"email": f"{name}@example.org"})
    client = house.client("visitor")
    client.post("/accounts/login/", {"login": "erin", "password": PASSWORD})
    change = {"oldpassword": PASSWORD} | dict.fromkeys(words, f"{PASSWORD}, a new one")
    with acting():
        client.post("/accounts/password/change/", change)
    with acting():
        client.post("/accounts/email/", {"action_add": "", "email": "erin@example.net"})
    frank = {"username": "frank", "email": "frank@example.org"}
    house.post("olga", "/admin/auth/user/add/", frank)


def _make_policy(house: House) -> None:
    """Drafted and proposed by one, put in force by another."""
    page = house.client("carol").get("/policies/draft/general/").content.decode()
    form = dict(re.findall(r'<input name="([^"]+)" value="([^"]*)"', page))
    form |= {"based_on": makers.VERSION, "rationale": "Fewer surprises."}
    made = house.post("carol", "/policies/draft/general/", form | {"nudity.prompt.hold": "0.45"})
    version = made["Location"].strip("/").split("/")[-1]
    house.post("erin", f"/policies/made/{version}/activate/")
    house.found["policies/draft/"] = {"general": "general"}
    house.found["policies/made/"] = {"in force": version}
    house.found["policies/"] = {"shipped": makers.VERSION, "in force": version}


def _govern(house: House) -> None:
    bank = {"name": "Known ones", "category": "hate"}
    house.post("carol", "/review/banks/new/", bank)
    house.found["review/banks/"] = {"known": "known-ones"}
    give = {"account": "mallory", "kind": "give", "role": "moderators"}
    take = {"account": "erin", "kind": "take", "role": "senior moderators"}
    changes = apps.get_model("house", "RoleChange").objects.order_by("asked_at")
    house.post("carol", "/roles/ask/", take)
    house.post("olga", f"/roles/{changes[0].pk}/confirm/")
    house.post("olga", "/roles/ask/", give | {"account": "dora"})
    house.post("carol", f"/roles/{changes[1].pk}/decline/")
    house.post("olga", "/roles/ask/", give)
    house.found["roles/"] = {"in force": changes[0].pk, "asked": changes[2].pk}
    days = {"first": "2026-11-01", "last": "2026-11-30"}
    for kind in ("statements", "decisions", "transparency"):
        house.post("dora", "/reports/exports/make/", days | {"kind": kind})
    _audit(house, days)
    with acting():
        factories.make_key(house.people["alice"], "read")
        erased = record(seal(photograph("coffee"))).id
        call_command("erase_assets", str(erased), stdout=StringIO())


def _audit(house: House, days: dict[str, str]) -> None:
    traffic([house.people["bob"]], fpr={"woman": 0.3, "man": 0.2}, each=40)
    house.post("dora", "/audits/make/", days | {"stage": "image"})
    audit = apps.get_model("audits", "Audit").objects.get()
    said = {"responsible": "Dora Maar", "decision": "Nothing to change."}
    house.post("dora", f"/audits/{audit.pk}/decide/", said)
    house.found["audits/"] = {"made": audit.pk}


def _turn_keys(house: House) -> None:
    """Last: what was signed before stays as it is."""
    for what in ("--signer", "--log", "--authority", "--authority"):
        tick()
        call_command("rotate_keys", what, stdout=StringIO())
    entries = apps.get_model("provenance", "LogEntry").objects.filter(kind="key.rotated")
    bodies = [json.loads(bytes(row.body))["body"] for row in entries.order_by("id")]
    old = [body["old"] for body in bodies if body["key"] == "authority"]
    call_command("rotate_keys", "--retire-authority", old[0], stdout=StringIO())
    since = ("--since", "2026-11-24T12:00")
    call_command("rotate_keys", "--distrust-authority", old[1], *since, stdout=StringIO())
    call_command("rotate_keys", "--revoke", "42", stdout=StringIO())
    run("provenance.tasks.sequence_log")
