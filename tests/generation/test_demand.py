"""What render workers are scaled by: the same number for Prometheus and for the database's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from prometheus_client import generate_latest
from pytest_django.fixtures import Settings

from adapters.models import BaseModel
from config.core.watching.house_gauges import HOUSE
from config.launch.embedded_servers import ROOT
from generation.capacity import demand
from generation.models import RequestStatus
from tests.factories import make_model, make_request

pytestmark = pytest.mark.django_db
PAGE = (ROOT / "docs" / "operate" / "scale.md").read_text()
KEDA = list(yaml.safe_load_all((ROOT / "docs" / "operate" / "keda.yaml").read_text()))


@pytest.fixture
def line(alice: User, model: BaseModel, settings: Settings) -> None:
    """Of the queue `gpu`: five seconds wait, a second and a half are screened, and something runs
    that took longer than it should have. Of `gpu-24g`: forty wait, and ten of an hour are left."""
    settings.PROOFSHEET_HARDWARE_QUEUES = ["gpu-24g"]
    now = timezone.now()
    an_hour_ago = now - timedelta(hours=1)
    long_ago: dict[str, Any] = {"status": RequestStatus.RUNNING, "created_at": an_hour_ago}
    make_request(alice, model, predicted_ms=5000)
    make_request(alice, model, predicted_ms=1500, status=RequestStatus.SUBMITTED)
    make_request(alice, model, predicted_ms=9000, **long_ago)
    make_request(alice, model, predicted_ms=9000, status=RequestStatus.FINISHED)
    make_request(alice, model, predicted_ms=9000, cancel_requested_at=now)
    make_request(alice, model, predicted_ms=9000, status=RequestStatus.SUBMITTED, is_held=True)
    large = make_model(slug="large", name="Large", tier="gpu-24g", is_default=False)
    make_request(alice, large, predicted_ms=40_000)
    make_request(alice, large, predicted_ms=3_610_000, **long_ago)


@pytest.mark.usefixtures("line")
def test_demand_is_what_is_left_to_draw_by_queue() -> None:
    told = demand.device_s()
    assert told["gpu"] == 6.5
    assert told["gpu-24g"] == pytest.approx(50, abs=5)
    assert 'proofsheet_demand_device_seconds{queue="gpu"} 6.5' in generate_latest(HOUSE).decode()


@pytest.mark.usefixtures("line")
def test_worker_whose_clock_is_a_day_ahead_asks_for_no_more_workers(
    alice: User, model: BaseModel
) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    make_request(alice, model, predicted_ms=3000, status=RequestStatus.RUNNING, created_at=tomorrow)
    assert demand.device_s()["gpu"] == 9.5


def test_house_with_nothing_to_draw_says_nought(settings: Settings) -> None:
    settings.PROOFSHEET_HARDWARE_QUEUES = ["gpu-24g"]
    assert demand.device_s() == {"gpu": 0, "gpu-24g": 0}
    assert [_asked(trigger["query"]) for trigger in _triggers()] == [0, 0]


@pytest.mark.usefixtures("line")
def test_scaler_reads_the_numbers_and_nothing_else() -> None:
    grants, alone = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
    with connection.cursor() as cursor:
        cursor.execute(grants.replace("…", "secret"))
        cursor.execute("SET LOCAL ROLE proofsheet_scaler")
    queries = [trigger["query"] for trigger in _triggers()]
    assert [_asked(query) for query in (*queries, alone)] == [6.5, pytest.approx(50, abs=5), 6.5]
    for secret in ("SELECT prompt FROM generation_generationrequest", "SELECT * FROM auth_user"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            _asked(secret)


def test_next_worker_is_asked_for_before_anybody_is_refused(settings: Settings) -> None:
    budget = min(settings.PROOFSHEET_WAIT_BUDGETS_S.values())
    for trigger in _triggers():
        assert float(trigger["targetQueryValue"]) <= budget / 2
    grace = settings.PROOFSHEET_DRAIN_SECONDS + 15
    assert f"terminationGracePeriodSeconds: {grace}" in PAGE
    assert f"TimeoutStopSec={grace}" in PAGE


def _triggers() -> list[dict[str, Any]]:
    scaled = [each["spec"] for each in KEDA if each["kind"] == "ScaledObject"]
    return [trigger["metadata"] for spec in scaled for trigger in spec["triggers"]]


def _asked(query: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(query)
        [[value]] = cursor.fetchall()
    assert isinstance(value, float), "KEDA refuses what is no number"
    return value
