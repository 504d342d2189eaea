"""Nothing that is asked often reads a table of years from end to end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from prometheus_client import generate_latest

from adapters.models import BaseModel
from config.core.projects.models import Project
from config.core.watching.house_gauges import HOUSE
from generation.capacity import current_load, estimates
from generation.hardware import worker_processes
from generation.line import claims, place_in_line
from generation.models import GenerationRequest, RequestStatus
from generation.requests import admission
from generation.work import sweeper
from tests.factories import NOON, make_request
from tests.generation import years

pytestmark = pytest.mark.django_db
LISTS = (
    "generationrequest/",
    "generationrequest/?q=alice",
    "generationrequest/?q=here:1",
    "generationrequest/?status__exact=running",
    "generatedimage/",
    "generatedimage/?q=alice",
    "generatedimage/?q=2b1c7a0e-6a1b-4a53-9d0b-0d6c1f0b5a11",
)


@pytest.fixture
def grown(alice: User, bob: User, model: BaseModel) -> None:
    """Months of ended requests, a line of two people, and one that runs."""
    years.fill(alice, model)
    for second in range(40):
        at = NOON + timedelta(seconds=second)
        make_request(alice if second % 2 else bob, model, created_at=at, predicted_ms=900)
    make_request(alice, model, status=RequestStatus.RUNNING)
    make_request(bob, model, status=RequestStatus.SUBMITTED)
    worker_processes.announce("render@here", queues=["gpu"], slots=10, at=NOON)


def told(plans: years.Plans, what: str) -> None:
    took = sum(seconds for seconds, _ in plans.took)
    print(f"{what}: {len(plans.took)} queries, {1000 * took:.1f} ms at {years.ROWS} rows")
    assert not plans.read_whole, plans.read_whole[0]


@pytest.mark.usefixtures("grown")
def test_capacity_and_metrics_read_the_last_minutes_alone() -> None:
    assert years.rows_of(GenerationRequest) > years.ROWS
    with years.explained() as plans:
        now = current_load.look(at=NOON)
    assert now.images_a_minute > 0
    told(plans, "capacity")
    with years.explained() as plans:
        generate_latest(HOUSE)
    told(plans, "metrics")


@pytest.mark.usefixtures("grown")
def test_sweeping_reads_what_is_due_alone() -> None:
    with years.explained() as plans:
        sweeper.sweep(at=NOON)
    told(plans, "sweep")


@pytest.mark.usefixtures("grown")
def test_claim_and_heartbeat_read_the_line_alone() -> None:
    with years.explained() as plans:
        claim = claims.claim(worker="here:1", at=NOON)
        assert claim is not None
        claims.extend_lease(claim, at=NOON)
        claims.look(claim)
    told(plans, "claim")


@pytest.mark.usefixtures("grown")
def test_submission_and_place_in_line_read_their_own_alone(alice: User, model: BaseModel) -> None:
    waiting = GenerationRequest.objects.filter(status=RequestStatus.QUEUED).first()
    assert waiting is not None
    with years.explained() as plans:
        admission.usage_of(alice, at=NOON)
        estimates.wait_s("gpu", priority=0, at=NOON)
        estimates.speed_of(model)
        assert place_in_line.position(waiting)
    told(plans, "submission")


@pytest.mark.usefixtures("grown")
def test_submission_reads_of_many_projects_its_own_alone(alice: User) -> None:
    """Even for who asked for thousands, and where half the projects have limits of their own."""
    others = (
        Project(name=f"Shop {n}", created_at=NOON, images_a_day=100 if n % 2 else None)
        for n in range(10_000)
    )
    Project.objects.bulk_create(others, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Project._meta.db_table}")
    with years.explained([Project._meta.db_table]) as plans:
        admission.usage_of(alice, at=NOON)
    told(plans, "usage")
    assert plans.took


@pytest.mark.usefixtures("grown")
def test_lists_of_the_admin_read_a_page_and_count_no_further_than_anybody_turns(
    olga: User, as_user: Any
) -> None:
    olga.is_superuser = True
    olga.save()
    browser = as_user(olga)
    for path in LISTS:
        with years.explained() as plans:
            assert browser.get(f"/admin/generation/{path}").status_code == 200
        told(plans, path)
