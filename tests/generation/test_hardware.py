"""Hosts with different hardware: whoever has a small device never gets what needs a large one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from adapters.models import BaseModel, Tier
from generation import tasks
from generation.capacity import estimates
from generation.hardware import worker_processes
from generation.line import claims, place_in_line, tickets
from generation.models import GenerationRequest, RequestStatus
from generation.request_rules import priority_classes
from generation.requests import admission
from generation.work import sweeper
from tests.factories import NOON, make_model, make_request
from tests.generation.processes import celery_worker, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def large(settings: Settings) -> None:
    settings.PROOFSHEET_HARDWARE_QUEUES = ["gpu-24g"]


@pytest.fixture
def flux(model: BaseModel) -> BaseModel:
    return make_model(slug="flux", name="Flux", tier=Tier.GPU_24G, is_default=False)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that tickets were sent to."""
    queues: list[str] = []
    monkeypatch.setattr(tasks.render, "apply_async", lambda *_, queue, **__: queues.append(queue))
    return queues


def claim(name: str) -> GenerationRequest | None:
    found = claims.claim(worker="here:1", at=NOON, name=name)
    return GenerationRequest.objects.get(id=found.request_id) if found else None


def test_a_worker_claims_what_its_own_queue_holds(
    alice: User, model: BaseModel, flux: BaseModel
) -> None:
    big = make_request(alice, flux, priority=1)
    small = make_request(alice, model, created_at=NOON + timedelta(seconds=1))
    assert claim("gpu") == small
    assert claim("gpu") is None
    assert claim("gpu-24g") == big
    assert claim("gpu-24g") is None


def test_worker_is_woken_for_what_waits_in_its_own_queue_alone(
    alice: User,
    flux: BaseModel,
    sent: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    make_request(alice, flux)
    with django_capture_on_commit_callbacks(execute=True):
        assert not tickets.call_waiting("gpu")
        assert tickets.call_waiting("gpu-24g")
    assert sent == ["gpu-24g"]


def test_place_in_line_and_wait_count_the_own_queue_alone(
    alice: User, bob: User, model: BaseModel, flux: BaseModel
) -> None:
    for _ in range(3):
        make_request(alice, flux, predicted_ms=10_000)
    small = make_request(bob, model, predicted_ms=1000)
    assert place_in_line.position(small) == 1
    standard = priority_classes.PriorityClass("standard", 0, 300)
    waits = [
        admission.estimate(each, standard, steps=2, guidance=1.0, count=1, at=NOON).wait_s
        for each in (model, flux)
    ]
    assert waits == [1, 30]
    worker_processes.announce("small@here", queues=["gpu"], slots=1, at=NOON)
    for name in ("one@there", "two@there", "three@there"):
        worker_processes.announce(name, queues=["gpu-24g"], slots=1, at=NOON)
    assert estimates.wait_s("gpu-24g", priority=0, at=NOON) == 10


def test_lost_tickets_are_sent_to_the_queue_of_the_model(
    alice: User,
    model: BaseModel,
    flux: BaseModel,
    sent: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    for each in (model, flux):
        make_request(alice, each, status=RequestStatus.RUNNING)
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep(at=NOON + claims.LEASE + timedelta(seconds=1))
    assert sorted(sent) == ["gpu", "gpu-24g"]
    sent.clear()
    worker_processes.announce(
        "large@there", queues=["gpu-24g"], slots=1, at=NOON + timedelta(minutes=1)
    )
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep(at=NOON + timedelta(minutes=1))
    assert sent == ["gpu-24g"]  # nobody listens to the other one


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_workers_leave_each_other_s_requests_alone(alice: User, tiny: BaseModel) -> None:
    """A real worker of the large tier, beside which none of the other runs."""
    large = make_model(
        slug="large", folder=tiny.folder, digest=tiny.digest, tier=Tier.GPU_24G, is_default=False
    )
    # The small one could be served as well: that it is not shows that the worker kept to its own.
    small, big = make_request(alice, tiny, steps=1), make_request(alice, large, steps=1)
    variables = {"HARDWARE_QUEUES": "gpu-24g", "PROOFSHEET_DEVICE": "cpu"}
    with celery_worker(queue="gpu-24g", **variables):
        wait_until(lambda: worker_processes.alive("gpu-24g", at=timezone.now()).exists())
        for _ in range(2):
            tickets.send_for(big)
        wait_until(lambda: fresh(big).status == "finished")
    assert fresh(small).status == "queued"


def fresh(request: GenerationRequest) -> GenerationRequest:
    return GenerationRequest.objects.get(id=request.id)


def test_a_queue_that_is_no_tier_is_named_at_the_start(settings: Settings) -> None:
    settings.PROOFSHEET_HARDWARE_QUEUES = ["gpu-7g"]
    with pytest.raises(SystemCheckError, match="'gpu-7g', which is no hardware tier"):
        call_command("check")
