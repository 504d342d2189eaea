"""Pages, API, mails and log entries are byte for byte what they were when they were last kept.

For work that must change nothing a user can see: moving, renaming, splitting. What is kept lies in
`unchanged/`; a change that is meant renews it, and `git diff` shows what became different:

    RENEW_UNCHANGED=1 python -m pytest tests/house/test_unchanged.py

Every address of the URLconf is read, by a visitor and by one person of each role, in one house that
is filled once (`filled_house.py`) while the clock stands. What a run makes up (ids, tokens,
digests) is replaced by placeholders, numbered as they appear on the page. A body that was kept
before is named and not repeated, as is the masthead of a role; pictures and archives are told by
their type. Of the admin, its lists are read, by a visitor and an operator, and told by title.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from config.accounts.roles.role_permissions import give_permissions
from moderation.policy.rulebook import policy_document
from provenance.keys import key_folder
from tests.house import filled_house
from tests.house.filled_house import House
from tests.house.unchanged_text import Placeholders, routes, stand_in

pytestmark = pytest.mark.django_db  # which has the tables made; the house outlives each test
KEPT = Path(__file__).parent / "unchanged"
READERS = ("visitor", "alice", "bob", "carol", "dora", "olga")
IN_THE_ADMIN = ("visitor", "olga")
MORE = ("/log/tile/0/000", "/log/tile/0/000.p/1", "/log/tile/entries/000.p/1", "/no-such-page/")
MASTHEAD = re.compile('<header class="masthead">.*?</header>', re.DOTALL)
TEXT = ("text/", "application/json", "application/problem+json")
NOT_READ = "405"
METRICS = "text/plain; version="  # the process's, and so those of the tests before
LINES_SHOWN = 60


@pytest.fixture(scope="module")
def house(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        filled_house.stop_the_clock(patch)
        patch.setattr(settings, "PROOFSHEET_KEYS_DIR", tmp_path_factory.mktemp("keys") / "keys")
        key_folder.load_or_make(settings.PROOFSHEET_KEYS_DIR)
        patch.setitem(current_app.conf, "task_always_eager", True)
        cache.clear()
        give_permissions(Group, Permission)
        yield filled_house.fill({group.name: group for group in Group.objects.all()})
        transaction.set_rollback(True)
    cache.clear()
    policy_document.load.cache_clear()  # a process reads a version once, and this one is gone


def test_the_schema_of_the_api_is_unchanged(house: House) -> None:
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    compare({"schema.yaml": answer.content.decode()}, of="schema.yaml")


def test_every_page_is_unchanged(house: House) -> None:
    sections: dict[str, list[str]] = defaultdict(list)
    book = Book()
    clients = {who: house.client(who) for who in READERS}
    for title, path in addresses(house):
        first = path.strip("/").split("/")[0] or "home"
        readers = IN_THE_ADMIN if first == "admin" else READERS
        sections[first].append(book.section(title, path, {who: clients[who] for who in readers}))
    pages = {f"pages/{first}.txt": "".join(texts) for first, texts in sections.items()}
    compare(pages | {"pages/mastheads.html": book.mastheads()}, of="pages/*")


def test_every_mail_is_unchanged(house: House) -> None:
    texts = []
    for message in house.mails:
        told = f"To: {', '.join(message.to)}\nSubject: {message.subject}\n\n{message.body}"
        texts.append(f"==== {Placeholders()(told)}\n")
    compare({"mails.txt": "".join(texts)}, of="mails.txt")


def test_every_log_entry_is_unchanged(house: House) -> None:
    """The canonical bytes that were put into the tree."""
    entries = apps.get_model("provenance", "LogEntry").objects.order_by("id")
    bodies = [bytes(body).decode() for body in entries.values_list("body", flat=True)]
    compare({"log.txt": "".join(f"{Placeholders()(body)}\n" for body in bodies)}, of="log.txt")


class Book:
    """Answers as text; what was written down before is referred to."""

    def __init__(self) -> None:
        self._mastheads: dict[str, str] = {}
        self._bodies: dict[str, str] = {}

    def mastheads(self) -> str:
        return "\n".join(f"{name}\n{text}" for text, name in self._mastheads.items())

    def section(self, title: str, path: str, clients: dict[str, Client]) -> str:
        answers: dict[str, list[str]] = {}
        for who, client in clients.items():
            text = self._answer(who, path, client, title)
            answers.setdefault(text, []).append(who)
            if text == NOT_READ:
                answers = {text: ["everybody"]}  # before anybody was looked at
                break
        told = [f"-- {', '.join(who)}: {text}\n" for text, who in answers.items()]
        return f"==== GET {title}\n{''.join(told)}\n"

    def _answer(self, who: str, path: str, client: Client, title: str) -> str:
        answer = read(client, path)
        hide = Placeholders()
        kind = answer.headers.get("Content-Type", "")
        head = f"{answer.status_code} {kind}"
        if answer.status_code == 405 and not answer.content:
            return NOT_READ
        if "Location" in answer.headers:
            return f"{answer.status_code} to {hide(answer['Location'])}"
        if answer.streaming or not kind.startswith(TEXT) or kind.startswith(METRICS):
            return head
        body = answer.content.decode()
        if path.startswith("/admin/"):
            found = re.search(r"<title>(.*?)</title>", body, re.DOTALL)
            return f"{head}, {' '.join(found[1].split()) if found else 'no title'}"
        return f"{head}{self._body(hide(body), who, title)}"

    def _body(self, body: str, who: str, title: str) -> str:
        """Its masthead, which differs by role, is named beside it."""
        masthead = MASTHEAD.search(body)
        number = f", {self._masthead(masthead[0])}" if masthead else ""
        body, own = MASTHEAD.sub("[masthead]", body), f"{title} for {who}"
        before = self._bodies.setdefault(body, own) if body else ""
        return f"{number}\n{body}" if before == own else f"{number}, as {before}" if body else ""

    def _masthead(self, text: str) -> str:
        return self._mastheads.setdefault(text, f"masthead {len(self._mastheads) + 1}")


def read(client: Client, path: str) -> Any:
    """What a page does to the house is undone, so that no page depends on another."""
    cache.clear()
    with transaction.atomic():
        answer = client.get(path)
        transaction.set_rollback(True)
    return answer


def addresses(house: House) -> Iterator[tuple[str, str]]:
    """(title, path) of every address that a URLconf names; those whose view waits are left out."""
    for route, view in sorted(routes(get_resolver().url_patterns), key=lambda found: found[0]):
        if iscoroutinefunction(view) or route == "api/schema/" or "<path:" in route:
            continue
        for title, path in house.fill_in("/" + route):
            yield stand_in(title), stand_in(path)
    yield from ((path, path) for path in MORE)


def compare(found: dict[str, str], *, of: str) -> None:
    """With what is kept; or keep it, if that is asked for."""
    kept = {str(path.relative_to(KEPT)): path for path in KEPT.glob(of)}
    if os.environ.get("RENEW_UNCHANGED"):
        for name in kept.keys() - found.keys():
            kept[name].unlink()
        for name, text in found.items():
            (KEPT / name).parent.mkdir(parents=True, exist_ok=True)
            (KEPT / name).write_text(text)
        return
    before = {name: path.read_text() for name, path in kept.items()}
    changed = [name for name in sorted(before | found) if before.get(name) != found.get(name)]
    told = [line for name in changed for line in _difference(name, before, found)]
    assert not changed, "\n".join([f"{', '.join(changed)} changed:", *told[:LINES_SHOWN]])


def _difference(name: str, before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    kept, now = (side.get(name, "").splitlines() for side in (before, after))
    return difflib.unified_diff(kept, now, f"kept/{name}", f"now/{name}", lineterm="", n=1)
