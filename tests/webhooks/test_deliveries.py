"""Events reach their endpoints, at least once and signed, whatever the endpoint or we do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as house
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection, transaction
from standardwebhooks import Webhook, WebhookVerificationError

from config.core import events
from config.core.net import safe_fetch
from config.core.outbox import draining
from config.core.outbox.models import OutboxRow
from config.core.projects.models import Project
from config.webhooks import endpoints, tasks
from config.webhooks.deliveries import cleaning, outcomes, sending
from config.webhooks.models import Delivery, DeliveryAttempt, Endpoint
from config.webhooks.standard import retry_schedule
from tests.fakes import FrozenClock
from tests.webhooks.conftest import Listen
from tests.webhooks.receivers import drips, floods, hangs, says

pytestmark = pytest.mark.django_db(transaction=True)


def made(project: Project, url: str, **said: Any) -> tuple[Endpoint, str]:
    person = project.personal_of
    assert person is not None
    said.setdefault("at", project.created_at)
    return endpoints.make(project.id, by=person, url=url, **said)


def refused(project: Project, number: int = 1) -> None:
    events.tell(project.id, "generation.refused", {"request_id": str(number)})


def fail(endpoint: Endpoint, clock: FrozenClock, *, times: int) -> None:
    """So many attempts, each once it is due."""
    for _ in range(times):
        row = Delivery.objects.get()
        endpoint.refresh_from_db()
        clock.at = max(clock.at, row.due_at, endpoint.rests_until or clock.at)
        sending.deliver(endpoint.id, now=clock)


def test_an_event_arrives_signed_and_thin(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(204))
    endpoint, secret = made(project, receiver.url)
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    [got] = receiver.received
    said = Webhook(secret).verify(got.body, got.headers)
    assert (said["type"], said["data"]) == ("generation.refused", {"request_id": "1"})
    assert said["timestamp"].endswith("Z")
    assert got.headers["content-type"] == "application/json"
    assert int(got.headers["webhook-timestamp"]) == int(clock.at.timestamp())
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body + b" ", got.headers)
    row = Delivery.objects.get()
    assert (row.state, row.event_id) == ("delivered", got.headers["webhook-id"])
    assert DeliveryAttempt.objects.get().status == 204


def test_an_event_is_written_with_what_happened_or_not_at_all(
    project: Project, tickets: list[str]
) -> None:
    endpoint, _ = made(project, "https://example.org/hook")
    with transaction.atomic():
        refused(project)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    with transaction.atomic():
        refused(project)
        assert not tickets
    assert tickets == [str(endpoint.id)]


def test_only_those_are_told_who_asked_and_of_what_they_asked(
    project: Project, bob: User, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(200))
    some, _ = made(project, receiver.url, types=["appeal.decided"])
    every, _ = made(project, receiver.url)
    off, _ = made(project, receiver.url)
    endpoints.change(off, at=clock(), is_on=False)
    refused(project)
    events.tell(project.id, "appeal.decided", {})
    events.tell(Project.objects.create(name="x", created_at=clock()).id, "appeal.decided", {})
    events.tell(None, "appeal.decided", {})
    counts = {each: each.deliveries.count() for each in (some, every, off)}
    assert counts == {some: 1, every: 2, off: 0}
    ids = list(Delivery.objects.filter(type="appeal.decided").values_list("event_id", flat=True))
    assert len(ids) == 2
    assert len(set(ids)) == 1  # one event, one id, wherever it goes


def test_an_event_that_there_is_not_is_a_mistake_of_ours(project: Project) -> None:
    with pytest.raises(ValueError, match="no event"):
        events.tell(project.id, "generation.refsued", {})


def test_an_end_user_is_named_by_our_id_alone(project: Project) -> None:
    made(project, "https://example.org/hook")
    events.tell(project.id, "appeal.decided", {"a": 1}, end_user_id=project.id)
    data = json.loads(Delivery.objects.get().body)["data"]
    assert data == {"a": 1, "end_user_id": str(project.id)}


def test_both_secrets_sign_while_one_replaces_the_other(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(200))
    endpoint, old = made(project, receiver.url)
    new = endpoints.rotate(endpoint, at=clock())
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    for secret in (old, new):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    assert receiver.received[0].headers["webhook-signature"].count("v1,") == 2
    clock.forward(25 * 3600)
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    assert receiver.received[1].headers["webhook-signature"].count("v1,") == 1


def test_a_key_pair_signs_where_it_was_chosen(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(200))
    endpoint, public = made(project, receiver.url, scheme="v1a")
    assert public.startswith("whpk_")
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    assert receiver.received[0].headers["webhook-signature"].startswith("v1a,")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 500, 503])
def test_whatever_is_not_a_success_is_tried_again_with_the_same_id(
    project: Project, listen: Listen, clock: FrozenClock, status: int
) -> None:
    receiver = listen(says(status, Location="http://127.0.0.1:1/elsewhere"))
    endpoint, _ = made(project, receiver.url)
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert timedelta(seconds=5) <= row.due_at - clock.at <= timedelta(seconds=6)
    receiver.answer = says(200)
    clock.at = row.due_at
    sending.deliver(endpoint.id, now=clock)
    assert len(receiver.received) == 2
    assert len(set(receiver.ids)) == 1
    first, second = (each.headers["webhook-timestamp"] for each in receiver.received)
    assert int(second) >= int(first) + 5
    assert Delivery.objects.get().state == "delivered"


def test_a_redirect_to_the_metadata_address_is_not_followed(
    project: Project, listen: Listen, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = listen(says(307, Location="http://169.254.169.254/latest/meta-data/"))
    endpoint, _ = made(project, receiver.url)
    asked: list[Any] = []
    real = socket.create_connection

    def connect(address: Any, *args: Any, **kwargs: Any) -> socket.socket:
        asked.append(address)
        return real(address, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", connect)
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    assert asked == [("127.0.0.1", receiver.port)]
    assert DeliveryAttempt.objects.get().status == 307


@pytest.mark.parametrize("answer", [hangs(5.0), drips], ids=["hangs", "drips"])
def test_who_does_not_answer_is_cut_off(
    project: Project,
    listen: Listen,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[..., None],
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.3)
    endpoint, _ = made(project, listen(answer).url)
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    tried = DeliveryAttempt.objects.get()
    assert (tried.status, tried.problem) == (None, "url_unreachable")
    assert Delivery.objects.get().state == "waiting"


def test_ten_megabytes_of_answer_are_not_read(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    endpoint, _ = made(project, listen(floods).url)
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    assert Delivery.objects.get().state == "delivered"


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once(
    project: Project, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: what was checked is what is connected to."""
    answers = [["93.184.215.14"], ["169.254.169.254"]]
    connected: list[Any] = []

    def connect(address: Any, **_: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(safe_fetch, "_addresses_of", lambda *_: answers.pop(0))
    monkeypatch.setattr(socket, "create_connection", connect)
    endpoint, _ = made(project, "https://rebinding.example.org/hook")
    refused(project)
    sending.deliver(endpoint.id, now=clock)
    assert connected == [("93.184.215.14", 443)]
    clock.at = Delivery.objects.get().due_at
    sending.deliver(endpoint.id, now=clock)
    assert len(connected) == 1  # the second time it led into our network
    problems = list(DeliveryAttempt.objects.order_by("id").values_list("problem", flat=True))
    assert problems == ["url_unreachable", "url_refused"]


def test_a_receiver_says_when_it_wants_to_be_asked_again(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(429, Retry_After="600"))
    endpoint, _ = made(project, receiver.url)
    for number in range(3):
        refused(project, number)
    sending.deliver(endpoint.id, now=clock)
    assert len(receiver.received) == 1
    endpoint.refresh_from_db()
    assert endpoint.rests_until == clock.at + timedelta(seconds=600)
    receiver.answer = says(429, Retry_After="999999999")
    clock.forward(601)
    sending.deliver(endpoint.id, now=clock)
    endpoint.refresh_from_db()
    assert endpoint.rests_until == clock.at + retry_schedule.WAIT_MAX


def test_ten_attempts_over_three_days_and_then_it_is_given_up(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(500))
    endpoint, _ = made(project, receiver.url)
    refused(project)
    began = clock.at
    fail(endpoint, clock, times=10)
    assert (len(receiver.received), len(set(receiver.ids))) == (10, 1)
    assert Delivery.objects.get().state == "failed"
    assert timedelta(days=3) < clock.at - began < timedelta(days=4)
    sending.deliver(endpoint.id, now=clock)
    assert len(receiver.received) == 10


def test_gone_switches_off_and_its_owner_is_told(
    project: Project, listen: Listen, clock: FrozenClock, alice: User
) -> None:
    receiver = listen(says(410))
    endpoint, _ = made(project, receiver.url)
    refused(project, 1)
    refused(project, 2)
    sending.deliver(endpoint.id, now=clock)
    endpoint.refresh_from_db()
    assert (endpoint.off_because, len(receiver.received)) == ("gone", 1)
    draining.drain(now=clock)
    [sent] = mail.outbox
    assert sent.to == [alice.email]
    assert "410 Gone" in sent.body
    assert "2 events wait" in sent.body
    refused(project, 3)
    receiver.answer = says(200)
    endpoints.change(endpoint, at=clock(), is_on=True)
    clock.forward(60)
    sending.deliver(endpoint.id, now=clock)
    sending.deliver(endpoint.id, now=clock)  # the first one found it to be quick
    bodies = [json.loads(each.body)["data"]["request_id"] for each in receiver.received[1:]]
    assert sorted(bodies) == ["1", "2"]  # what happened while it was off is not kept for it


def test_an_endpoint_that_fails_for_days_is_switched_off_and_its_owner_told(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(500))
    endpoint, _ = made(project, receiver.url)
    refused(project)
    fail(endpoint, clock, times=10)
    endpoint.refresh_from_db()
    assert endpoint.is_on
    clock.at = clock.at + outcomes.FAILING_MAX
    events.tell(project.id, "appeal.decided", {})
    Delivery.objects.filter(state="waiting").update(due_at=clock.at)
    sending.deliver(endpoint.id, now=clock)
    endpoint.refresh_from_db()
    assert endpoint.off_because == "failing"
    assert OutboxRow.objects.get().task == "config.webhooks.tasks.mail_switched_off"


def test_while_an_endpoint_fails_it_is_probed_and_then_caught_up_with(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(500))
    endpoint, _ = made(project, receiver.url)
    for number in range(30):
        refused(project, number)
    sending.deliver(endpoint.id, now=clock)
    assert len(receiver.received) == 3  # then it rests, with the attempts of all others unspent
    assert Delivery.objects.filter(attempts=0).count() == 27
    receiver.answer = says(200)
    clock.forward(6)
    for _ in range(30):  # as many turns as it takes on a slow machine
        sending.deliver(endpoint.id, now=clock)
    assert Delivery.objects.filter(state="delivered").count() == 30


def test_a_sender_that_dies_before_it_noted_it_sends_again_with_the_same_id(
    project: Project, listen: Listen, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = listen(says(200))
    endpoint, secret = made(project, receiver.url)
    refused(project)

    def die(*_: object, **__: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as crash:
        crash.setattr(outcomes, "note", die)
        with pytest.raises(SystemExit):
            sending.deliver(endpoint.id, now=clock)
    sending.deliver(endpoint.id, now=clock)
    assert len(receiver.received) == 1  # the lease of the dead one holds
    clock.at += sending.LEASE
    sending.deliver(endpoint.id, now=clock)
    assert len(receiver.received) == 2
    assert len(set(receiver.ids)) == 1
    for got in receiver.received:
        Webhook(secret).verify(got.body, got.headers)
    assert Delivery.objects.get().state == "delivered"


SENDER = """
import django
django.setup()
import sys
from uuid import UUID
from config.core import clock
from config.webhooks.deliveries import sending
sending.deliver(UUID(sys.argv[1]), now=clock.now)
"""


def test_a_worker_that_is_killed_while_it_sends_loses_nothing(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def answer(handler: Any) -> None:
        is_asked.set()
        may_answer.wait(60)
        says(200)(handler)

    receiver = listen(answer)
    endpoint, _ = made(project, receiver.url)
    refused(project)
    said = connection.settings_dict
    url = f"postgresql://{said['USER']}:{said['PASSWORD']}@{said['HOST']}:{said['PORT']}/{said['NAME']}"
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SENDER, str(endpoint.id)],
        cwd=house.ROOT,
        env=os.environ
        | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
        | {"WEBHOOKS_TO_LOOPBACK": "1"},
    )
    try:
        assert is_asked.wait(120)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    may_answer.set()
    assert Delivery.objects.get().state == "waiting"
    clock.at += sending.LEASE + timedelta(minutes=5)
    sending.sweep(at=clock())
    sending.deliver(endpoint.id, now=clock)
    assert Delivery.objects.get().state == "delivered"
    assert len(receiver.received) == 2
    assert len(set(receiver.ids)) == 1


def test_a_broker_that_is_away_delays_events_and_loses_none(
    project: Project, tickets: list[str], clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = made(project, "https://example.org/hook")

    def away(*_: object, **__: object) -> None:
        raise ConnectionError("the broker does not answer")

    with monkeypatch.context() as outage:
        outage.setattr(tasks.deliver, "apply_async", away)
        refused(project)
    assert Delivery.objects.get().state == "waiting"
    sending.sweep(at=clock())
    assert tickets == [str(endpoint.id)]


def test_the_sweeper_leaves_alone_who_rests_is_off_or_has_nothing(
    project: Project, tickets: list[str], clock: FrozenClock
) -> None:
    idle, off, resting, busy = (made(project, "https://example.org/")[0] for _ in range(4))
    refused(project)
    idle.deliveries.all().delete()
    endpoints.change(off, at=clock(), is_on=False)
    Endpoint.objects.filter(id=resting.id).update(rests_until=clock.at + timedelta(seconds=9))
    tickets.clear()
    sending.sweep(at=clock())
    assert tickets == [str(busy.id)]
    tickets.clear()
    sending.sweep(at=clock.forward(10))
    assert sorted(tickets) == sorted([str(busy.id), str(resting.id)])


def test_an_endpoint_has_few_under_way_at_once_and_one_that_fails_has_one(
    project: Project, clock: FrozenClock
) -> None:
    endpoint, _ = made(project, "https://example.org/")
    for number in range(6):
        refused(project, number)
    claims = [sending.take(endpoint.id, at=clock()) for _ in range(6)]
    assert [claim is not None for claim in claims] == [True] * 4 + [False] * 2
    clock.at += sending.LEASE
    Endpoint.objects.update(failures=1)
    claims = [sending.take(endpoint.id, at=clock()) for _ in range(2)]
    assert [claim is not None for claim in claims] == [True, False]


def test_endpoints_that_hang_keep_to_their_half_of_the_places(
    project: Project, listen: Listen, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, slow = listen(says(200)), listen(says(200))
    proven, _ = made(project, good.url)
    unproven, _ = made(project, slow.url)
    Endpoint.objects.filter(id=proven.id).update(is_proven=True)
    refused(project)
    monkeypatch.setattr(sending, "_slow_places", threading.BoundedSemaphore(1))
    assert sending._slow_places.acquire(blocking=False)
    sending.deliver(unproven.id, now=clock)
    sending.deliver(proven.id, now=clock)
    assert (len(slow.received), len(good.received)) == (0, 1)
    sending._slow_places.release()
    sending.deliver(unproven.id, now=clock)
    assert len(slow.received) == 1


def test_a_late_sender_does_not_overrule_who_took_over(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    endpoint, _ = made(project, listen(says(200)).url)
    refused(project)
    late = sending.take(endpoint.id, at=clock())
    assert late
    clock.at += sending.LEASE
    sending.deliver(endpoint.id, now=clock)
    answer = outcomes.AttemptResult(clock(), 1, 500, "", "")
    outcomes.note(late.delivery, answer, token=late.token, at=clock(), luck=0.0)
    assert Delivery.objects.get().state == "delivered"
    assert DeliveryAttempt.objects.count() == 2


def test_a_replay_has_the_same_id_and_starts_the_schedule_anew(
    project: Project, listen: Listen, clock: FrozenClock
) -> None:
    receiver = listen(says(500))
    endpoint, _ = made(project, receiver.url)
    refused(project)
    fail(endpoint, clock, times=10)
    receiver.answer = says(200)
    row = endpoints.replay(endpoint, Delivery.objects.get().id, at=clock())
    assert row.attempts == 0
    clock.forward(600)
    sending.deliver(endpoint.id, now=clock)
    assert Delivery.objects.get().state == "delivered"
    assert len(set(receiver.ids)) == 1


def test_the_log_is_kept_for_thirty_days(project: Project, clock: FrozenClock) -> None:
    made(project, "https://example.org/")
    refused(project)
    assert cleaning.forget(at=clock.at + timedelta(days=29)) == 0
    assert cleaning.forget(at=clock.at + timedelta(days=31)) == 1
    assert not Delivery.objects.exists()


def test_a_deleted_endpoint_breaks_nothing_that_just_names_it(
    project: Project, clock: FrozenClock
) -> None:
    endpoint, _ = made(project, "https://example.org/")
    with transaction.atomic():
        refused(project)
        with ThreadPoolExecutor(1) as other:
            other.submit(_delete, endpoint, clock.at).result()
    assert Delivery.objects.get().state == "waiting"
    assert sending.take(endpoint.id, at=clock()) is None
    cleaning.forget(at=clock.at + timedelta(days=2))
    assert not Endpoint.objects.exists()
    assert not Delivery.objects.exists()


def _delete(endpoint: Endpoint, at: datetime) -> None:
    endpoints.delete(endpoint, at=at)
    connection.close()


def test_a_secret_lies_sealed_in_the_database(project: Project) -> None:
    endpoint, secret = made(project, "https://example.org/")
    sealed = bytes(endpoint.secrets.get().sealed)
    assert secret[6:20].encode() not in sealed
    assert sealed.startswith(b"gAAAA")
