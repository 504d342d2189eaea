"""Who may submit one more: quotas of a user, and the wait that a priority class promises.

What counts against the same limits is admitted one after the other (`take_turn`), so that nobody
passes them by asking many times at once. The wait that a class promises is for load alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from adapters.models import BaseModel
from config.core.errors import ProofsheetError
from config.core.projects import calling
from config.core.projects.calling import Caller
from config.core.ttl_cache import remembered
from generation.capacity import estimates
from generation.hardware import hardware_queues
from generation.models import ACTIVE, Allowance, RequestStatus
from generation.request_rules import priority_classes
from generation.requests import project_limits
from generation.requests.resolving import ResolvedRequest
from generation.requests.too_much import TooMuch as TooMuch

DAY = timedelta(days=1)
TURN_AFTER_S = 5.0  # at most


class TooBusy(TooMuch):
    default_code = "too_busy"
    default_message = "So many requests wait that this one would wait too long."
    default_advice = "Try again after the time that Retry-After names."


class QuotaUsedUp(TooMuch):
    default_code = "quota_used_up"
    default_message = "You have used what your account may make in a day."
    default_advice = "It frees up as yesterday's requests fall out of the last 24 hours."


class TooManyInFlight(TooMuch):
    default_code = "too_many_in_flight"
    default_message = "You have as many requests on their way as your account may have at once."
    default_advice = "Wait until one has ended, or cancel one."


class TurnNotReached(TooMuch):
    default_code = "turn_not_reached"
    default_message = (
        "So much was asked for at once against the same limits that its turn never came."
    )
    default_advice = "Send it again, and not so many at the same moment."


class TierUnknown(ProofsheetError):
    default_code = "tier_unknown"
    default_status = 422
    default_message = "There is no such tier."
    default_advice = f"Choose one of: {', '.join(priority_classes.NAMES)}."


class TooSlowForTier(ProofsheetError):
    default_code = "too_slow_for_tier"
    default_status = 422
    default_message = "The interactive tier is for the model's few-step mode only."
    default_advice = "Ask for fewer steps, or for the standard tier."


# Always in this order, so that no two wait for each other. Neither a wait nor a process that stood
# still in its turn holds up the others for long.
_TURN = """
    SELECT set_config('lock_timeout', %s, true),
        set_config('idle_in_transaction_session_timeout', '30s', true),
        pg_advisory_xact_lock(hashtextextended('generation.admission ' || name, 0))
    FROM unnest(%s::text[]) AS name
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a user used in the last 24 hours, has on the way now, and may use."""

    images: int
    images_a_day: int
    device_seconds: float
    device_seconds_a_day: int
    in_flight: int
    in_flight_max: int
    oldest_at: datetime | None

    @property
    def frees_at(self) -> datetime | None:
        """When the oldest of it falls out of the 24 hours."""
        return self.oldest_at + DAY if self.oldest_at else None


def tier_of(name: str, *, model: BaseModel, steps: int) -> priority_classes.PriorityClass:
    """Raises TierUnknown, and TooSlowForTier for an interactive request of many steps."""
    if name not in priority_classes.PRIORITIES:
        raise TierUnknown
    if name == "interactive" and steps > model.few_steps:
        raise TooSlowForTier
    return priority_classes.PriorityClass(
        name, priority_classes.PRIORITIES[name], settings.PROOFSHEET_WAIT_BUDGETS_S[name]
    )


# Asked at every submission. Written out, because building it anew costs more than answering it.
# Summed by project first: a join before would read all projects, however few are the person's.
_USAGE = """
    SELECT coalesce(sum(images), 0), coalesce(sum(device_ms), 0), coalesce(sum(in_flight), 0),
        min(oldest_at)
    FROM (
        SELECT project_id,
            sum(CASE WHEN status = ANY(%(active)s) THEN count ELSE made END)
                FILTER (WHERE is_counted AND NOT is_live) AS images,
            sum(coalesce(device_ms, predicted_ms)) FILTER (WHERE is_counted) AS device_ms,
            count(*) FILTER (WHERE status = ANY(%(active)s) AND NOT is_held) AS in_flight,
            min(created_at) FILTER (WHERE is_counted) AS oldest_at
        FROM (
            SELECT *, created_at > %(since)s
                AND (status = ANY(%(active)s) OR status = %(finished)s OR made > 0) AS is_counted
            FROM generation_generationrequest
            WHERE owner_id = %(owner)s AND (created_at > %(since)s OR status = ANY(%(active)s))
        ) AS own
        GROUP BY project_id
        OFFSET 0
    ) AS of_project
    WHERE (
        SELECT images_a_day IS NULL AND device_seconds_a_day IS NULL
        FROM projects_project WHERE id = project_id
    )
"""


def usage_of(user: AbstractBaseUser, *, at: datetime) -> Usage:
    """What the user used in the 24 hours before `at` and has on the way, with the limits. What they
    asked for in the name of a project that was granted limits of its own counts there alone."""
    said, limits = _allowance(user.pk), settings.PROOFSHEET_ALLOWANCE
    asked: dict[str, Any] = {
        "owner": user.pk,
        "since": at - DAY,
        "active": [str(status) for status in ACTIVE],
        "finished": str(RequestStatus.FINISHED),
    }
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, asked)
        images, device_ms, in_flight, oldest_at = cursor.fetchone()
    return Usage(
        images=int(images),
        images_a_day=_or(said.images_a_day, limits["images_a_day"]),
        device_seconds=float(device_ms) / 1000,
        device_seconds_a_day=_or(said.device_seconds_a_day, limits["device_seconds_a_day"]),
        in_flight=int(in_flight),
        in_flight_max=_or(said.in_flight, limits["in_flight"]),
        oldest_at=oldest_at,
    )


@remembered
def _allowance(user_id: int) -> Allowance:
    return Allowance.objects.filter(user_id=user_id).first() or Allowance()


def _or(value: int | None, usual: int) -> int:
    return usual if value is None else value


def estimate(
    model: BaseModel,
    tier: priority_classes.PriorityClass,
    *,
    steps: int,
    guidance: float,
    count: int,
    at: datetime,
) -> estimates.Estimate:
    """Of a request of `count` images, and of the wait until its first is begun."""
    cost = count * estimates.cost_ms(model, steps=steps, guidance=guidance)
    wait = estimates.wait_s(hardware_queues.queue_of(model), priority=tier.priority, at=at)
    return estimates.Estimate(cost, round(wait, 1), tier.name, wait <= tier.budget_s)


def expectation(
    wanted: ResolvedRequest, *, at: datetime
) -> tuple[priority_classes.PriorityClass, estimates.Estimate]:
    """The class of a request, and what it will cost and wait. Raises what `tier_of` raises."""
    tier = tier_of(wanted.parameters.tier, model=wanted.model, steps=wanted.steps)
    return tier, estimate(
        wanted.model,
        tier,
        steps=wanted.taken_steps,
        guidance=wanted.guidance,
        count=wanted.parameters.count,
        at=at,
    )


def take_turn(caller: Caller) -> None:
    """Wait for those who are let in against the same limits; theirs last until their transactions
    end, and so does this one. Raises TurnNotReached after `TURN_AFTER_S`."""
    project, end_user = caller.project, caller.end_user
    names = [] if project.has_budget else [f"account {caller.user.pk}"]
    if project_limits.has_own(project):
        names.append(f"project {project.pk}")
    if end_user is not None and project_limits.has_for_end_users(project):
        names.append(f"end user {end_user.pk}")
    try:
        with connection.cursor() as cursor:
            cursor.execute(_TURN, [f"{TURN_AFTER_S * 1000:.0f}ms", names])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise TurnNotReached(retry_after_s=TURN_AFTER_S) from error
        raise


def admit(
    by: AbstractBaseUser | Caller,
    expected: estimates.Estimate,
    tier: priority_classes.PriorityClass,
    *,
    count: int,
    at: datetime,
) -> None:
    """Let a request of `count` images in. Raises TooManyInFlight, QuotaUsedUp, TooBusy, and what
    `project_limits.admit` raises."""
    caller = calling.as_caller(by)
    if not caller.project.has_budget:
        _admit_account(caller.user, expected, count=count, at=at)
    project_limits.admit(caller, count=count, device_ms=expected.device_ms, at=at)
    if not expected.is_accepted:
        # Up to a tenth more, so that those sent away do not all come back at once.
        spread = 1 + secrets.randbelow(100) / 1000
        raise TooBusy(retry_after_s=(expected.wait_s - tier.budget_s) * spread)


def _admit_account(
    by: AbstractBaseUser, expected: estimates.Estimate, *, count: int, at: datetime
) -> None:
    usage = usage_of(by, at=at)
    if usage.in_flight >= usage.in_flight_max:
        raise TooManyInFlight(retry_after_s=expected.device_ms / 1000)
    frees_at = usage.frees_at or at + DAY
    wanted_s = usage.device_seconds + expected.device_ms / 1000
    if usage.images + count > usage.images_a_day or wanted_s > usage.device_seconds_a_day:
        raise QuotaUsedUp(retry_after_s=(frees_at - at).total_seconds())
