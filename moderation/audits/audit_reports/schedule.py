"""Which audits are due: last month's, and one for each change of policy or classifier."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection, transaction

from moderation.audits.audit_reports import traffic_report
from moderation.audits.models import Audit, FrameEntry
from moderation.audits.sampling import population
from moderation.audits.sampling.population import Window

STAGES = ("prompt", "image")
SETTLED = timedelta(days=7)
"""A change is audited once a week of screenings and labels came after it."""
_LOCK = 0x617564697473  # "audits": two clocks never make one audit twice


def on_demand(
    stage: str,
    first: date,
    last: date,
    *,
    user_id: int | None,
    at: datetime,
    project: UUID | None = None,
) -> Audit:
    """Raises traffic_report.PeriodBackwards."""
    by = User.objects.filter(pk=user_id).first() if user_id is not None else None
    return traffic_report.make(Window(stage, first, last, project), at=at, by=by)


@transaction.atomic
def monthly(*, at: datetime) -> list[Audit]:
    """The audits of the month before `at`, one a stage, unless they are there already."""
    last = at.date().replace(day=1) - timedelta(days=1)
    windows = [Window(stage, last.replace(day=1), last) for stage in STAGES]
    return _made(windows, at=at)


@transaction.atomic
def on_change(*, at: datetime) -> list[Audit]:
    """An audit a stage since its latest policy or classifier came, once that has settled."""
    windows = []
    for stage in STAGES:
        began = _began(stage)
        if began is not None and at - began >= SETTLED:
            first = began.date()
            windows.append(Window(stage, first, first + SETTLED - timedelta(days=1)))
    return _made(windows, at=at)


def _began(stage: str) -> datetime | None:
    """When the stage's present pair of policy and classifier came; None while it is the first."""
    entries = FrameEntry.objects.filter(stage=stage)
    latest = entries.order_by("-screened_at").first()
    if latest is None:
        return None
    present = {"policy_version": latest.policy_version, "model_version": latest.model_version}
    if not entries.exclude(**present).exists():
        return None
    first = entries.filter(**present).order_by("screened_at").first()
    return first.screened_at if first else None


def _made(windows: list[Window], *, at: datetime) -> list[Audit]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    made = []
    for window in windows:
        is_there = Audit.objects.filter(
            scope=f"traffic:{window.stage}",
            is_scheduled=True,
            title=traffic_report.title_of(window),
        ).exists()
        if not is_there and population.versions(window):
            made.append(traffic_report.make(window, at=at, is_scheduled=True))
    return made
