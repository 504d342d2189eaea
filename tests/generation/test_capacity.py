"""Operators see what the house carries; so does Prometheus; nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from prometheus_client import generate_latest
from pytest_django import Settings

from adapters.models import BaseModel
from config.core.watching.house_gauges import HOUSE
from generation.capacity import current_load
from generation.hardware import worker_processes
from generation.models import RequestStatus
from generation.work import sweeper
from tests.factories import NOON, make_image, make_request
from tests.generation import years

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(alice: User, model: BaseModel) -> None:
    """Three images in the last minute, begun after 1, 2 and 9 seconds, and two that wait."""
    now = timezone.now()
    vitals = {"adapter_slots": 8, "adapters_resident": 5, "slot_hits": 30, "slot_misses": 10}
    vitals |= {"forwards": 10, "rows": 45, "clock_skew_ms": -40_000}
    sweeper.sweep(at=now)
    worker_processes.announce("render@here", queues=["gpu"], slots=1, at=now, vitals=vitals)
    for wait, device_ms in ((1, 1000), (2, 2000), (9, 6000)):
        request = make_request(
            alice, model, status=RequestStatus.FINISHED, created_at=now, device_ms=device_ms
        )
        request.queued_at, request.started_at = now - timedelta(seconds=wait), now
        request.save()
    for _ in range(2):
        make_request(alice, model, created_at=now, predicted_ms=5000)


@pytest.mark.usefixtures("busy")
def test_capacity_tells_waits_costs_and_needs(settings: Settings) -> None:
    settings.PROOFSHEET_DEVICE_HOUR_PRICE = "3.60 EUR"
    now = current_load.look(at=timezone.now())
    standard = next(tier for tier in now.tiers if tier.name == "standard")
    assert (standard.waiting, standard.waits_s) == (2, {"gpu": 10.0})
    assert (standard.wait_p50_s, standard.wait_p95_s) == (2.0, 8.3)
    [cost] = now.models
    assert (cost.images, cost.device_ms_p50, cost.price) == (3, 2000, "3.00 EUR")
    assert [(need.times, need.devices) for need in now.needs] == [(1, 1), (2, 1), (10, 1)]
    [live] = now.workers
    assert (live.adapters_resident, live.adapter_slots) == (5, 8)
    assert (live.hit_rate_percent, live.rows_a_forward) == (75.0, 4.5)


@pytest.mark.usefixtures("db")
def test_worker_without_an_engine_is_told_without_its_figures() -> None:
    worker_processes.announce("cpu@here", queues=["cpu"], slots=2, at=NOON)
    [live] = current_load.look(at=NOON).workers
    assert (live.adapter_slots, live.hit_rate_percent, live.rows_a_forward) == (0, None, None)


def test_empty_house_is_told_without_figures(model: BaseModel) -> None:
    now = current_load.look(at=NOON)
    assert (now.devices, now.workers, now.models, now.needs) == (0, (), (), ())


@pytest.mark.usefixtures("busy")
def test_page_is_for_operators(olga: User, alice: User, as_user: Any) -> None:
    olga.is_staff = False
    olga.save()
    answer = as_user(olga).get("/capacity/")
    assert answer.status_code == 200
    assert b"render@here" in answer.content
    assert b"5 of 8" in answer.content
    assert b"75.0 % of 40" in answer.content
    assert as_user(alice).get("/capacity/").status_code == 403


@pytest.mark.usefixtures("busy")
def test_metrics_tell_the_predicted_wait() -> None:
    told = generate_latest(HOUSE).decode()
    assert 'proofsheet_predicted_wait_seconds{queue="gpu",tier="standard"} 10.0' in told
    assert "proofsheet_render_workers 1.0" in told
    assert 'proofsheet_clock_skew_seconds{worker="render@here"} -40.0' in told
    assert "proofsheet_swept_seconds_ago 0." in told


def test_growth_is_told_for_a_thousand_pictures(
    alice: User,
    model: BaseModel,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(years, "ROWS", 998)
    years.fill(alice, model)
    with pytest.raises(CommandError, match="has 999 of the 1,000 pictures"):
        call_command("growth")
    make_image(alice, model)
    call_command("growth", "--tables=1000", "--images-a-day=1000")
    *tables, whole, year = capsys.readouterr().out.splitlines()
    shares = {line.split()[2]: float(line.split()[0]) for line in tables}
    assert shares["generation_generatedimage"] > 0
    assert float(whole.split()[0]) == pytest.approx(sum(shares.values()), abs=1)
    in_a_year_gb = float(whole.split()[0]) * 365 / 1000
    assert float(year.split()[0]) == pytest.approx(in_a_year_gb, abs=0.51)


@pytest.mark.parametrize("said", ["--images-a-day=-5", "--images-a-day=0", "--tables=-1"])
def test_growth_of_no_load_is_refused(said: str) -> None:
    with pytest.raises(CommandError, match="no number of 1 or more"):
        call_command("growth", said)
