"""Servers that go away while images are made: each request ends exactly once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from redis import Redis

from adapters.models import BaseModel
from config.celery import app
from config.launch.valkey import Valkey
from generation import tasks
from generation.hardware import worker_processes
from generation.models import GeneratedImage, GenerationRequest
from generation.progress import previews
from generation.work import sweeper
from provenance.models import LogEntry
from tests.factories import make_request
from tests.generation import rabbitmq, redis_server
from tests.generation.processes import Wire, celery_worker, log_tail, wait_until
from tests.generation.processes import test_database_url as database_url

pytestmark = pytest.mark.django_db(transaction=True)
OUTAGE_S = 10.0


_NO_REDIS = pytest.mark.skipif(not redis_server.SERVER.exists(), reason="there is no Redis here")


@pytest.fixture(params=[Valkey, pytest.param(redis_server.RedisServer, marks=_NO_REDIS)])
def broker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Valkey]:
    """A broker of its own, so that it can die."""
    server: Valkey = request.param(tmp_path / "broker")
    server.start()
    yield server
    server.stop()


def wire_to_database() -> tuple[Wire, str]:
    """A line that can be cut, and the database's address over it."""
    parts = urlsplit(database_url())
    assert parts.hostname is not None
    assert parts.port is not None
    wire = Wire(parts.hostname, parts.port)
    login = parts.netloc.rpartition("@")[0]
    return wire, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{wire.port}"))


def send_tickets(count: int, url: str) -> None:
    with app.connection_for_write(url) as line:
        for _ in range(count):
            app.send_task("generation.tasks.render", connection=line)


def is_up() -> bool:
    return worker_processes.alive("gpu", at=timezone.now()).exists()


def is_denoising(request: GenerationRequest) -> bool:
    now = previews.read(request.id)
    return now is not None and now.stage == "denoise" and now.step >= 3


def has_ended(request: GenerationRequest) -> bool:
    request.refresh_from_db()
    return not request.is_active


def have_ended() -> bool:
    """As beat does, the sweeper looks after what was left behind."""
    sweeper.sweep(at=timezone.now())
    return not GenerationRequest.objects.filter(ended_at__isnull=True).exists()


def assert_each_ended_once(count: int) -> None:
    ends = GenerationRequest.objects.values_list("status", "code")
    assert list(ends) == [("finished", "")] * count, log_tail()
    assert GeneratedImage.objects.values("request").distinct().count() == count
    assert GeneratedImage.objects.count() == count
    assert LogEntry.objects.filter(kind="asset.marked").count() == count


def kill_and_start(broker: Valkey, requests: list[GenerationRequest]) -> None:
    assert broker.process is not None
    broker.process.kill()
    broker.process.wait()
    broker.start()


def stand_still(broker: Valkey, requests: list[GenerationRequest]) -> None:
    """Until a picture was made meanwhile, whose ticket cannot be acknowledged."""
    assert broker.process is not None
    broker.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: any(has_ended(request) for request in requests), seconds=240)
    broker.process.send_signal(signal.SIGCONT)


def empty(broker: Valkey, requests: list[GenerationRequest]) -> None:
    Redis.from_url(broker.url(0)).flushall()


@pytest.mark.slow
@pytest.mark.parametrize("fault", [kill_and_start, stand_still, empty])
def test_broker_that_fails_and_comes_back_costs_no_request_and_doubles_none(
    alice: User,
    tiny: BaseModel,
    broker: Valkey,
    fault: Callable[[Valkey, list[GenerationRequest]], None],
) -> None:
    outlast(broker, lambda requests: fault(broker, requests), alice, tiny)


@pytest.mark.slow
@pytest.mark.skipif(not rabbitmq.SERVER.exists(), reason="there is no RabbitMQ here")
def test_rabbitmq_that_is_killed_and_comes_back_costs_no_request_and_doubles_none(
    alice: User, tiny: BaseModel, tmp_path: Path
) -> None:
    broker = rabbitmq.RabbitMQ(tmp_path / "rabbitmq")
    broker.start()

    def kill_and_start_it(requests: list[GenerationRequest]) -> None:
        broker.kill()
        broker.start()

    try:
        outlast(broker, kill_and_start_it, alice, tiny)
    finally:
        broker.stop()


def outlast(
    broker: Valkey | rabbitmq.RabbitMQ,
    fault: Callable[[list[GenerationRequest]], None],
    alice: User,
    tiny: BaseModel,
) -> None:
    """A worker of that broker makes three pictures, whatever becomes of it meanwhile."""
    requests = [make_request(alice, tiny, steps=100, seed=seed) for seed in range(3)]
    with celery_worker(BROKER_URL=broker.url(0)):
        wait_until(is_up, seconds=240)
        send_tickets(2, broker.url(0))
        wait_until(lambda: any(is_denoising(request) for request in requests), seconds=240)
        fault(requests)
        send_tickets(3, broker.url(0))  # one that is new, two that double the first
        wait_until(have_ended, seconds=240, pause=0.5)
    assert_each_ended_once(3)
    assert set(GenerationRequest.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.slow
def test_database_that_is_gone_for_ten_seconds_costs_no_image_and_doubles_none(
    alice: User, tiny: BaseModel
) -> None:
    requests = [make_request(alice, tiny, steps=100, seed=seed) for seed in range(2)]
    wire, by_wire = wire_to_database()
    with celery_worker(DATABASE_URL=by_wire):
        wait_until(is_up, seconds=240)
        for _ in requests:
            tasks.render.delay()
        wait_until(lambda: all(is_denoising(request) for request in requests), seconds=240)
        wire.cut()
        back_at = monotonic() + OUTAGE_S
        wait_until(lambda: monotonic() > back_at)
        assert not GeneratedImage.objects.exists()
        wire.mend()
        wait_until(have_ended, seconds=240, pause=0.5)
    wire.cut()
    assert_each_ended_once(2)


@pytest.mark.slow
def test_worker_that_is_cut_off_for_longer_than_its_lease_spends_no_attempt(
    alice: User, tiny: BaseModel
) -> None:
    """While the house goes on: the sweeper comes by, and takes its request back. Of one thread,
    so that the request cannot end by another before this one hears that it was lost."""
    request = make_request(alice, tiny, steps=100)
    wire, by_wire = wire_to_database()
    with celery_worker(threads="1", DATABASE_URL=by_wire):
        wait_until(is_up, seconds=240)
        tasks.render.delay()
        wait_until(lambda: is_denoising(request), seconds=240)
        wire.cut()
        wait_until(lambda: not have_ended() and is_back_in_line(request), seconds=240, pause=0.5)
        wire.mend()
        wait_until(have_ended, seconds=240, pause=0.5)
    assert_each_ended_once(1)
    request.refresh_from_db()
    assert request.attempts == 1


def is_back_in_line(request: GenerationRequest) -> bool:
    request.refresh_from_db()
    return request.status == "queued"
