"""What a project may ask for: its models, adapters and tiers, and how much, for itself and for each
of those whom it serves. Beside the limits of accounts (`admission`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from config.core.errors import ProofsheetError
from config.core.projects.calling import Caller
from config.core.projects.models import Project
from generation.models import ACTIVE, RequestStatus
from generation.request_rules import priority_classes
from generation.requests.resolving import ResolvedRequest
from generation.requests.too_much import TooMuch

DAY, MONTH = timedelta(days=1), timedelta(days=30)


class ModelNotAllowed(ProofsheetError):
    default_code = "model_not_allowed"
    default_status = 403
    default_message = "This project may not use that model."
    default_advice = "Choose one that its page allows."


class AdapterNotAllowed(ProofsheetError):
    default_code = "adapter_not_allowed"
    default_status = 403
    default_message = "This project may not use that adapter."
    default_advice = "Choose among those that its page allows."


class TierNotAllowed(ProofsheetError):
    default_code = "tier_not_allowed"
    default_status = 403
    default_message = "This project may not ask for that tier."
    default_advice = "Ask for a lower one."


class ProjectQuotaUsedUp(TooMuch):
    default_code = "project_quota_used_up"
    default_message = "The project has used what it may make."
    default_advice = "It frees up as older requests fall out of the period; its page shows both."


class ProjectTooManyInFlight(TooMuch):
    default_code = "project_too_many_in_flight"
    default_message = "The project has as many requests on their way as it may have at once."
    default_advice = "Wait until one has ended."


class EndUserQuotaUsedUp(TooMuch):
    default_code = "end_user_quota_used_up"
    default_message = "The person whom you ask for has used what they may make in a day."
    default_advice = "It frees up as yesterday's requests fall out of the last 24 hours."


class EndUserTooManyInFlight(TooMuch):
    default_code = "end_user_too_many_in_flight"
    default_message = "The person whom you ask for has as many requests on their way as they may."
    default_advice = "Wait until one has ended."


# Written out as in `admission`: asked at every submission of a project with limits.
_USED = """
    SELECT
        coalesce(sum(CASE WHEN status = ANY(%(active)s) THEN count ELSE made END)
            FILTER (WHERE is_counted), 0),
        coalesce(sum(coalesce(device_ms, predicted_ms)) FILTER (WHERE is_counted), 0),
        count(*) FILTER (WHERE status = ANY(%(active)s) AND NOT is_held)
    FROM (
        SELECT *, created_at > %(since)s AND NOT is_live
            AND (status = ANY(%(active)s) OR status = %(finished)s OR made > 0) AS is_counted
        FROM generation_generationrequest
        WHERE {column} = %(id)s AND (created_at > %(since)s OR status = ANY(%(active)s))
    ) AS own
"""
_OF_PROJECT, _OF_END_USER = _USED.format(column="project_id"), _USED.format(column="end_user_id")


def check(wanted: ResolvedRequest, *, tier: priority_classes.PriorityClass, of: Project) -> None:
    """Whether the project may ask for that at all.

    Raises ModelNotAllowed, AdapterNotAllowed, TierNotAllowed.
    """
    if of.allowed_models is not None and wanted.model.slug not in of.allowed_models:
        raise ModelNotAllowed(message=f"This project may not use the model {wanted.model.slug}.")
    for adapter, _ in wanted.adapters:
        if of.allowed_adapters is not None and adapter.slug not in of.allowed_adapters:
            raise AdapterNotAllowed(message=f"This project may not use the adapter {adapter.slug}.")
    ceiling = priority_classes.PRIORITIES.get(of.priority_ceiling)
    if ceiling is not None and tier.priority > ceiling:
        raise TierNotAllowed(
            message=f"This project may not ask for the tier {tier.name}.",
            advice=f"Ask for {of.priority_ceiling} or a lower one.",
        )


def has_own(project: Project) -> bool:
    """Whether what the project asks for is counted."""
    return _of_a_day(project) or project.device_seconds_a_month is not None


def _of_a_day(project: Project) -> bool:
    limits = (project.images_a_day, project.device_seconds_a_day, project.in_flight)
    return limits != (None, None, None)


def has_for_end_users(project: Project) -> bool:
    """Whether what each of those whom it serves asks for is counted."""
    return (project.end_user_images_a_day, project.end_user_in_flight) != (None, None)


def admit(caller: Caller, *, count: int, device_ms: int, at: datetime) -> None:
    """Raises ProjectQuotaUsedUp, ProjectTooManyInFlight, EndUserQuotaUsedUp,
    EndUserTooManyInFlight."""
    project, soon_s = caller.project, device_ms / 1000
    if _of_a_day(project):
        images, device_s, in_flight = _used(_OF_PROJECT, project.pk, since=at - DAY)
        if _is_over(project.in_flight, in_flight + 1):
            raise ProjectTooManyInFlight(retry_after_s=soon_s)
        is_over_images = _is_over(project.images_a_day, images + count)
        if is_over_images or _is_over(project.device_seconds_a_day, device_s + soon_s):
            raise ProjectQuotaUsedUp(retry_after_s=3600)
    if project.device_seconds_a_month is not None:
        _, device_s, _ = _used(_OF_PROJECT, project.pk, since=at - MONTH)
        if _is_over(project.device_seconds_a_month, device_s + soon_s):
            raise ProjectQuotaUsedUp(
                retry_after_s=86400, message="The project has used its budget of 30 days."
            )
    _admit_end_user(caller, count=count, soon_s=soon_s, at=at)


def _admit_end_user(caller: Caller, *, count: int, soon_s: float, at: datetime) -> None:
    project, row = caller.project, caller.end_user
    if row is None or not has_for_end_users(project):
        return
    images, _, in_flight = _used(_OF_END_USER, row.pk, since=at - DAY)
    if _is_over(project.end_user_in_flight, in_flight + 1):
        raise EndUserTooManyInFlight(retry_after_s=soon_s)
    if _is_over(project.end_user_images_a_day, images + count):
        raise EndUserQuotaUsedUp(retry_after_s=3600)


def _is_over(limit: int | None, wanted: float) -> bool:
    return limit is not None and wanted > limit


def used_by(project: Project, *, at: datetime) -> tuple[int, float, int]:
    """Images and device seconds of the last 24 hours, and requests on their way."""
    return _used(_OF_PROJECT, project.pk, since=at - DAY)


def _used(statement: str, row_id: UUID, *, since: datetime) -> tuple[int, float, int]:
    asked: dict[str, Any] = {
        "id": row_id,
        "since": since,
        "active": [str(status) for status in ACTIVE],
        "finished": str(RequestStatus.FINISHED),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        images, device_ms, in_flight = cursor.fetchone()
    return images, device_ms / 1000, in_flight
