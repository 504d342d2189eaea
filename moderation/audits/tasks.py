"""Celery tasks: reports on demand, every month, and when policy or classifier changed."""

from __future__ import annotations

from datetime import date

from celery import shared_task

from config.core import clock


@shared_task
def audit_traffic(stage: str, first: str, last: str, user_id: int | None = None) -> None:
    from moderation.audits.audit_reports import schedule

    window = (stage, date.fromisoformat(first), date.fromisoformat(last))
    schedule.on_demand(*window, user_id=user_id, at=clock.now())


@shared_task
def audit_month() -> None:
    from moderation.audits.audit_reports import schedule

    schedule.monthly(at=clock.now())


@shared_task
def audit_changes() -> None:
    from moderation.audits.audit_reports import schedule

    schedule.on_change(at=clock.now())
