"""Runs that workers carry on: asked for by compliance, behind users, stopped, resumed, kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from adapters.models import BaseModel
from config.core import events
from generation import tasks
from generation.models import RequestStatus
from generation.suite_runs import stints, suite_rendering
from moderation.audits.audit_reports import auditors
from moderation.audits.models import Audit, AuditRun
from moderation.audits.suites import counterfactuals
from tests import factories
from tests.fakes import FakeImageClassifier, FakePromptClassifier, FrozenClock
from tests.pure.audits.test_suites import GOOD
from tests.rewriting import rewritten

pytestmark = pytest.mark.django_db
Status = AuditRun.Status


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Tickets that were sent and that no worker took yet; a test is one transaction, so the commit
    that they wait for never comes."""
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(events, "after_commit", lambda act: act())
    monkeypatch.setattr(tasks.audit_stint, "apply_async", lambda said, **_: sent.append(said))
    monkeypatch.setattr(stints, "STINT_S", 0.0)
    return sent


@pytest.fixture(autouse=True)
def one_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite of two people, under the name of one that ships."""
    monkeypatch.setattr(counterfactuals, "names", lambda: ["two"])
    monkeypatch.setattr(counterfactuals, "load", lambda name: counterfactuals.parse(GOOD))


@pytest.fixture
def run(
    dora: User,
    tiny: BaseModel,
    clock: FrozenClock,
    tickets: list[tuple[str, int]],
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    django_capture_on_commit_callbacks: Any,
) -> AuditRun:
    """Twelve pictures: three stints."""
    with django_capture_on_commit_callbacks(execute=True):
        return stints.ask("two", model="", seeds=3, by=dora, at=clock())


def work_off(tickets: list[tuple[str, int]], clock: FrozenClock, *, most: int = 50) -> None:
    for _ in range(most):
        if not tickets:
            return
        run_id, stint = tickets.pop(0)
        stints.work(AuditRun.objects.get(pk=run_id).pk, stint, now=clock)
    assert not tickets


def test_a_run_goes_from_ticket_to_ticket_and_ends_in_a_report(
    run: AuditRun, tickets: list[tuple[str, int]], clock: FrozenClock, dora: User
) -> None:
    assert len(tickets) == 1
    work_off(tickets, clock)
    standing = stints.find(run.id, by=dora)
    assert (standing.done, standing.total, standing.per_cent) == (12, 12, 100)
    assert standing.run.status == Status.FINISHED
    assert standing.audit is not None
    assert standing.audit.made_by == dora
    assert not standing.is_active


def test_a_doubled_ticket_finds_its_stint_taken(
    run: AuditRun,
    tickets: list[tuple[str, int]],
    clock: FrozenClock,
    image_classifier: FakeImageClassifier,
) -> None:
    tickets.append(tickets[0])
    work_off(tickets, clock)
    assert len(image_classifier.seen) == 12
    assert Audit.objects.count() == 1


def test_a_lost_ticket_is_sent_again(
    run: AuditRun, tickets: list[tuple[str, int]], clock: FrozenClock
) -> None:
    tickets.clear()
    stints.sweep(at=clock())
    assert tickets == []
    stints.sweep(at=clock() + stints.TICKET_LATE + timedelta(seconds=1))
    work_off(tickets, clock)
    assert AuditRun.objects.get().status == Status.FINISHED


def test_a_worker_that_dies_loses_its_lease_and_nothing_is_made_twice(
    run: AuditRun,
    tickets: list[tuple[str, int]],
    clock: FrozenClock,
    image_classifier: FakeImageClassifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_id, stint = tickets.pop()
    with monkeypatch.context() as patch:
        patch.setattr(suite_rendering, "advance", _dies)
        with pytest.raises(KeyboardInterrupt):
            stints.work(run.id, stint, now=clock)
    assert tickets == []
    clock.forward(stints.LEASE.total_seconds() + 1)
    stints.sweep(at=clock())
    work_off(tickets, clock)
    assert AuditRun.objects.get(pk=run_id).status == Status.FINISHED
    assert len(image_classifier.seen) == 12


def _dies(*args: object, **kwargs: object) -> bool:
    raise KeyboardInterrupt


def _fails(*args: object, **kwargs: object) -> bool:
    raise RuntimeError("out of memory")


def test_what_fails_every_time_stops_the_run_with_a_sentence(
    run: AuditRun,
    tickets: list[tuple[str, int]],
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(suite_rendering, "advance", _fails)
    for _ in range(10):
        while tickets:
            run_id, stint = tickets.pop()
            with pytest.raises(RuntimeError):
                stints.work(run.id, stint, now=clock)
        stints.sweep(at=clock.forward(1))
    found = AuditRun.objects.get()
    assert (found.status, found.stop_code) == (Status.STOPPED, "audit_failed")


def test_users_come_first(
    run: AuditRun, tickets: list[tuple[str, int]], clock: FrozenClock, alice: User, tiny: BaseModel
) -> None:
    waiting = factories.make_request(alice, tiny, status=RequestStatus.QUEUED)
    run_id, stint = tickets.pop()
    stints.work(run.id, stint, now=clock)
    assert suite_rendering.progress(run).done == 0
    assert tickets == []  # it would wait in a worker's place
    for _ in range(2):
        stints.sweep(at=clock.forward(stints.PAUSE.total_seconds() + 1))
    assert len(tickets) == 1
    waiting.delete()
    work_off(tickets, clock)
    assert suite_rendering.progress(run).done == 12


def test_a_stopped_run_keeps_what_was_made_and_goes_on_from_there(
    run: AuditRun,
    tickets: list[tuple[str, int]],
    clock: FrozenClock,
    dora: User,
    image_classifier: FakeImageClassifier,
    django_capture_on_commit_callbacks: Any,
) -> None:
    run_id, stint = tickets.pop()
    stints.work(run.id, stint, now=clock)
    stints.cancel(run.id, by=dora)
    work_off(tickets, clock)
    assert suite_rendering.progress(run).done == 4
    stints.sweep(at=clock.forward(3600))
    assert tickets == []
    with django_capture_on_commit_callbacks(execute=True):
        stints.resume(run.id, by=dora, at=clock())
    work_off(tickets, clock)
    assert AuditRun.objects.get().status == Status.FINISHED
    assert len(image_classifier.seen) == 12
    with pytest.raises(stints.RunFinished):
        stints.cancel(run.id, by=dora)


def test_asking_for_an_unfinished_run_again_is_the_same_run(
    run: AuditRun, tickets: list[tuple[str, int]], clock: FrozenClock, dora: User
) -> None:
    again = stints.ask("two", model="", seeds=3, by=dora, at=clock())
    assert again.id == run.id
    assert stints.ask("two", model="", seeds=2, by=dora, at=clock()).id != run.id


def test_a_new_policy_stops_a_run_and_says_why(
    run: AuditRun, tickets: list[tuple[str, int]], clock: FrozenClock, dora: User
) -> None:
    with rewritten(AuditRun):
        AuditRun.objects.update(policy_sha256="0" * 64)
    work_off(tickets, clock)
    found = stints.find(run.id, by=dora).run
    assert (found.status, found.stop_code) == (Status.STOPPED, "audit_policy_changed")
    assert "policy changed" in found.stop_message


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "olga"])
def test_compliance_alone_starts_and_stops(
    who: str, run: AuditRun, clock: FrozenClock, request: pytest.FixtureRequest
) -> None:
    by = request.getfixturevalue(who)
    with pytest.raises(auditors.NotCompliance):
        stints.ask("two", model="", seeds=1, by=by, at=clock())
    with pytest.raises(auditors.NotCompliance):
        stints.cancel(run.id, by=by)
    with pytest.raises(auditors.NotCompliance):
        stints.resume(run.id, by=by, at=clock())


def test_a_path_is_no_name_of_a_suite(dora: User, tiny: BaseModel, clock: FrozenClock) -> None:
    with pytest.raises(counterfactuals.SuiteInvalid):
        stints.ask("/etc/passwd.yaml", model="", seeds=1, by=dora, at=clock())


def test_pages_show_progress_and_work_without_javascript(
    run: AuditRun, tickets: list[tuple[str, int]], clock: FrozenClock, dora: User, as_user: Any
) -> None:
    client = as_user(dora)
    url = f"/audits/runs/{run.id}/"
    run_id, stint = tickets.pop()
    stints.work(run.id, stint, now=clock)
    page = client.get(url).content.decode()
    assert '<progress max="12" value="4"' in page
    assert "<noscript><meta http-equiv=" in page
    assert "every 2s" in page
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith('<section id="progress"')
    client.post(f"{url}cancel/")
    stopped = client.get(url).content.decode()
    assert "Stopped by dora" in stopped
    assert "every 2s" not in stopped
    assert "http-equiv" not in stopped
    client.post(f"{url}resume/")
    assert AuditRun.objects.get().status == Status.RUNNING
    assert client.get(f"/audits/runs/{uuid4()}/").status_code == 404


def test_the_page_starts_a_run(
    tiny: BaseModel, dora: User, bob: User, as_user: Any, tickets: list[tuple[str, int]]
) -> None:
    client = as_user(dora)
    assert "4 pictures a seed" in client.get("/audits/runs/").content.decode()
    answer = client.post("/audits/runs/", {"suite": "two", "seeds": "1"})
    assert answer.url == f"/audits/runs/{AuditRun.objects.get().id}/"
    assert client.post("/audits/runs/", {"suite": "three", "seeds": "1"}).status_code == 422
    assert as_user(bob).get("/audits/runs/").status_code == 403
    assert as_user(bob).get(answer.url).status_code == 403


def test_the_api_starts_watches_stops_and_carries_on(
    tiny: BaseModel, dora: User, carol: User, bob: User, as_user: Any, tickets: list[Any]
) -> None:
    client = as_user(dora)
    [suite] = client.get("/api/v1/audits/suites/").json()
    assert (suite["name"], suite["prompts"]) == ("two", 4)
    url = "/api/v1/audits/runs/"
    started = client.post(url, {"suite": "two", "seeds": 2}, content_type="application/json")
    assert started.status_code == 202
    run = started.json()
    assert (run["done"], run["total"], run["status"], run["audit"]) == (0, 8, "running", None)
    assert as_user(carol).get(f"{url}{run['id']}/").json()["total"] == 8
    assert client.post(f"{url}{run['id']}/cancel/").json()["stop_code"] == "cancelled"
    assert client.post(f"{url}{run['id']}/resume/").json()["status"] == "running"
    assert len(client.get(url).json()) == 1
    wrong = client.post(url, {"suite": "tow"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "audit_suite_invalid")
    assert as_user(carol).post(f"{url}{run['id']}/cancel/").status_code == 403
    assert as_user(bob).get(url).json()["code"] == "not_an_auditor"
    assert client.get(f"{url}{uuid4()}/").status_code == 404
