"""Celery tasks: reports on demand, every month, and when policy or classifier changed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from celery import shared_task

from config.core import clock


@shared_task
def audit_traffic(
    stage: str, first: str, last: str, user_id: int | None = None, project: str = ""
) -> None:
    """Make the report of a period, both ISO days included, that somebody asked for."""
    from moderation.audits.audit_reports import schedule  # loads the statistics

    window = (stage, date.fromisoformat(first), date.fromisoformat(last))
    of = UUID(project) if project else None
    schedule.on_demand(*window, user_id=user_id, at=clock.now(), project=of)


@shared_task
def audit_month() -> None:
    """Make last month's reports, unless they are made."""
    from moderation.audits.audit_reports import schedule  # loads the statistics

    schedule.monthly(at=clock.now())


@shared_task
def audit_changes() -> None:
    """Make reports where the policy or a classifier changed."""
    from moderation.audits.audit_reports import schedule  # loads the statistics

    schedule.on_change(at=clock.now())
