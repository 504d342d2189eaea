"""Real processes, watched as an operator does: what their own ports say while a picture is made,
while a worker drains, and while the database is away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from prometheus_client.parser import text_string_to_metric_families

from adapters.models import BaseModel
from config.launch.child_processes import free_port
from config.watching import own_port
from generation import tasks
from generation.models import GenerationRequest
from tests.factories import make_key, make_request
from tests.generation.processes import (
    LOG,
    Wire,
    celery_worker,
    wait_until,
    web_server,
)
from tests.generation.processes import test_database_url as database_url
from tests.generation.test_crash import is_denoising

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
READY = (200, '{"ready": true}')
PROMPT = "a quagga under marzipan clouds"


@pytest.fixture(scope="module")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The release's static files, which a web process lacks otherwise."""
    folder = str(tmp_path_factory.mktemp("static"))
    said = {"DJANGO_SETTINGS_MODULE": "config.settings", "STATIC_ROOT": folder}
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=settings.ROOT, env=os.environ | said, check=True,
    )  # fmt: skip
    return folder


def base() -> int:
    """Where a hundred ports are likely to be free."""
    return min(free_port(), 65_000)


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and body; (0, "") while nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def saying(port: int, answer: tuple[int, str]) -> Callable[[], bool]:
    """Whether its `/readyz` does by now."""
    return lambda: ask(port, "/readyz") == answer


def counted(port: int, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(ask(port, "/metrics")[1])
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def first_port(metrics_port: int, kind: str) -> int:
    return metrics_port + own_port.PORTS[kind][0]


def lines_of(written: str, **about: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    return [line for line in lines if about.items() <= line.items()]


def submit(port: int, key: str) -> dict[str, str]:
    """A picture is asked for as a program does; the headers of the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"prompt": PROMPT, "steps": 2})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/generations/", body, headers)
    answer = connection.getresponse()
    said = answer.read().decode()
    assert answer.status == 201, said
    return {name.lower(): value for name, value in answer.getheaders()}


def test_ports_of_web_and_worker_count_a_picture_and_never_tell_its_prompt(
    alice: User, tiny: BaseModel, static_root: str
) -> None:
    written = LOG.stat().st_size if LOG.exists() else 0
    metrics_port, port = base(), free_port()
    web, render = (first_port(metrics_port, kind) for kind in ("web", "render"))
    said = {"METRICS_PORT": str(metrics_port), "STATIC_ROOT": static_root, "LOG_FORMAT": "json"}
    key = make_key(alice, "generate")
    with web_server(port=port, **said), celery_worker(queue="gpu,cpu", **said):
        wait_until(saying(web, READY), seconds=240)
        wait_until(lambda: ask(render, "/livez")[0] == 200, seconds=240)
        headers = submit(port, key)
        assert headers["x-request-id"].startswith("req_")
        wait_until(
            lambda: GenerationRequest.objects.filter(status="finished").exists(), seconds=240
        )
        assert ask(render, "/readyz") == READY
        route = "/api/v1/generations/"
        answered = {"method": "POST", "route": route, "status": "201"}
        assert counted(web, "proofsheet_http_requests_total", **answered) == 1
        assert counted(web, "proofsheet_http_request_seconds_count", route=route) == 1
        wait_until(lambda: counted(render, "proofsheet_requests_ended_total") == 1)
        for name, labels in (
            ("proofsheet_requests_ended_total", {"outcome": "finished", "code": ""}),
            ("proofsheet_queue_wait_seconds_count", {"priority": "standard"}),
            ("proofsheet_stage_seconds_count", {"stage": "denoise"}),
            ("proofsheet_stage_seconds_count", {"stage": "sign"}),
            ("proofsheet_screenings_total", {"stage": "prompt"}),
            ("proofsheet_screenings_total", {"stage": "image"}),
            ("proofsheet_images_total", {}),
        ):
            assert counted(render, name, **labels) == 1, name
        assert counted(render, "proofsheet_engine_rows_total") >= 2
        assert counted(render, "proofsheet_tasks_total", state="success") >= 2
        assert counted(web, "proofsheet_tickets_sent_total") >= 1
        told = ask(web, "/metrics")[1] + ask(render, "/metrics")[1]
    lines = LOG.read_bytes()[written:].decode()
    [answer] = lines_of(lines, request_id=headers["x-request-id"])
    assert (answer["route"], answer["status"]) == (route, 201)
    assert answer["trace_id"] == GenerationRequest.objects.get().traceparent.split("-")[1]
    told += lines
    for word in ("quagga", "marzipan", "alice", str(alice.email)):
        assert word not in told


def test_worker_that_drains_is_alive_and_not_ready(alice: User, tiny: BaseModel) -> None:
    request = make_request(alice, tiny, steps=100, count=4)
    metrics_port = base()
    render = first_port(metrics_port, "render")
    with celery_worker(METRICS_PORT=str(metrics_port)) as process:
        wait_until(lambda: ask(render, "/livez")[0] == 200, seconds=240)
        tasks.render.delay()
        wait_until(lambda: is_denoising(request), seconds=240, pause=0.002)
        os.kill(process.pid, signal.SIGTERM)
        heard: list[tuple[int, str]] = []

        def has_said_so() -> bool:
            heard.append(ask(render, "/readyz"))
            return heard[-1] == (503, '{"ready": false, "lacks": ["draining"]}')

        wait_until(has_said_so, seconds=240, pause=0.005)
        with suppress(AssertionError):  # it may have ended by now
            assert ask(render, "/livez")[0] == 200


def test_process_without_its_database_is_alive_and_not_ready(static_root: str) -> None:
    parts = urlsplit(database_url())
    assert parts.hostname is not None
    assert parts.port is not None
    wire = Wire(parts.hostname, parts.port)
    login = parts.netloc.rpartition("@")[0]
    cuttable = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{wire.port}"))
    said = {"METRICS_PORT": str(base()), "DATABASE_URL": cuttable, "STATIC_ROOT": static_root}
    web, outbox = (first_port(int(said["METRICS_PORT"]), kind) for kind in ("web", "outbox"))
    gone = (503, '{"ready": false, "lacks": ["database"]}')
    with web_server(port=free_port(), **said), celery_worker(queue="outbox", **said):
        for port in (web, outbox):
            wait_until(saying(port, READY), seconds=240)
        wire.cut()
        for port in (web, outbox):
            wait_until(saying(port, gone))
            assert ask(port, "/livez")[0] == 200
            assert ask(port, "/metrics")[0] == 200
        wire.mend()
        for port in (web, outbox):
            wait_until(saying(port, READY), seconds=240)
