"""Who waits is told what for: models that load, a worker that is not there, or the line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from adapters.models import BaseModel
from config.runtime import gc_tuning, preload
from generation.hardware import worker_processes
from generation.models import GenerationRequest, RequestStatus, Worker
from generation.studio.request_cards import request_cards
from tests.factories import make_request

pytestmark = pytest.mark.django_db


def line(request: GenerationRequest) -> str:
    [card] = request_cards(GenerationRequest.objects.filter(id=request.id), by=request.owner)
    return card.line


def announce(*queues: str, slots: int, **vitals: int) -> None:
    worker_processes.announce(
        f"{queues[0]}@here", queues=list(queues), slots=slots, at=timezone.now(), vitals=vitals
    )


def test_a_first_prompt_waits_for_models_that_load(
    alice: User, model: BaseModel, client: Client
) -> None:
    made = make_request(alice, model, status=RequestStatus.SUBMITTED)
    assert line(made) == "Waiting for a worker to start"
    announce("cpu", slots=0, loaded=0, parts=1)
    assert line(made) == "Models are loading: 0 of 1 parts are ready"
    client.force_login(alice)
    assert "Models are loading: 0 of 1 parts" in client.get("/studio/").content.decode()
    announce("cpu", slots=2)
    assert line(made) == "Rules and a classifier read it first"


def test_a_queued_request_waits_for_its_own_queues_models(alice: User, model: BaseModel) -> None:
    made = make_request(alice, model)
    announce("gpu", slots=0, loaded=2, parts=7)
    assert line(made) == "Models are loading: 2 of 7 parts are ready"
    assert not worker_processes.alive("gpu", at=timezone.now()).exists()
    announce("gpu", slots=10)
    assert line(made) == "Next in line"
    announce("gpu-24g", slots=0, loaded=1, parts=7)
    assert line(made) == "Next in line"


def test_whoever_waits_is_told_when_nobody_draws(
    alice: User, model: BaseModel, client: Client
) -> None:
    made = make_request(alice, model)
    assert line(made).startswith("No worker draws with this model now")
    client.force_login(alice)
    told = client.get(f"/api/v1/generations/{made.id}/").json()
    assert told["waits_for"].startswith("No worker draws")
    announce("gpu", slots=10)
    assert line(made) == "Next in line"
    assert client.get(f"/api/v1/generations/{made.id}/").json()["waits_for"] == ""


class Instance:
    """As much of Celery's worker as the warm-up looks at."""

    class app:  # noqa: N801 - Celery's own name
        class amqp:  # noqa: N801 - likewise
            class queues:  # noqa: N801 - likewise
                consume_from = ("cpu",)


@pytest.mark.django_db(transaction=True)
def test_a_worker_announces_itself_before_it_has_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, dict[str, Any]]] = []
    said: list[worker_processes.Announcement] = []
    monkeypatch.setattr(worker_processes.announcer, "start", said.append)

    def look() -> None:
        told.append((said[0].slots, said[0].vitals()))

    monkeypatch.setattr(preload, "_parts", lambda queues: iter([look, look]))
    monkeypatch.setattr(gc_tuning, "settle", lambda: None)
    monkeypatch.setattr(sys, "setswitchinterval", lambda seconds: None)
    preload.warm_up("cpu@here", Instance)
    assert told == [(0, {"loaded": 0, "parts": 2}), (0, {"loaded": 1, "parts": 2})]
    assert said[0].vitals() == {"loaded": 2, "parts": 2}


@pytest.fixture
def ours() -> Iterator[worker_processes.Announcer]:
    """One that is stopped before the next test, whatever happens in this one."""
    announcer = worker_processes.Announcer()
    yield announcer
    announcer.stop()
    if announcer._thread:
        announcer._thread.join()


@pytest.mark.django_db(transaction=True)
def test_what_is_announced_later_takes_its_place(
    ours: worker_processes.Announcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the first word is still being written when the second is there."""
    write, begun, later, written = worker_processes.announce, Event(), Event(), Event()

    def slowly(name: str, **said: Any) -> None:
        if said["slots"] == 0:
            begun.set()
            later.wait(0.5)
        write(name, **said)
        (written if said["slots"] == 0 else later).set()

    monkeypatch.setattr(worker_processes, "announce", slowly)
    ours.start(worker_processes.Announcement("cpu@here", ["cpu"], 0, dict))
    begun.wait()
    ours.start(worker_processes.Announcement("cpu@here", ["cpu"], 2, dict))
    written.wait()
    assert Worker.objects.get().slots == 2
    ours.stop()
    assert ours._thread
    ours._thread.join()
    assert not Worker.objects.exists()
