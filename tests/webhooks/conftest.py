"""A project of alice's, and receivers that its events go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from config.core.projects import personal
from config.core.projects.models import Project
from config.webhooks import tasks
from tests.fakes import FrozenClock
from tests.webhooks.receivers import Receiver

Listen = Callable[[Callable[[BaseHTTPRequestHandler], None]], Receiver]


@pytest.fixture
def project(alice: User) -> Project:
    return personal.project_of(alice)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime.now(UTC) + timedelta(seconds=1))


@pytest.fixture
def listen(settings: Settings) -> Iterator[Listen]:
    """`listen(says(200))`: a receiver that answers so, until the test is over."""
    settings.PROOFSHEET_WEBHOOKS_TO_LOOPBACK = True
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(Receiver(answer).listening())


@pytest.fixture(autouse=True)
def tickets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The endpoints that tickets were sent for; nobody takes them but the test itself."""
    sent: list[str] = []
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda said, **_: sent.append(said[0]))
    return sent
