"""What decisions mean for somebody whom a project serves: a warning, a suspension, or neither.

A decision about something that was asked for on an end user's behalf acts on the end user. The
account behind the project's key stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from config.core import events
from config.core.errors import ProofsheetError
from config.core.projects.models import EndUser
from moderation.models import Decision, Suspension

Standing = EndUser.Standing
_EVENTS: dict[str, str] = {"warn": "end_user.warned", "suspend": "end_user.suspended"}
AT_ONCE = 100


class EndUserSuspended(ProofsheetError):
    """The project may ask for nothing on this person's behalf until the suspension ends."""

    default_code = "end_user_suspended"
    default_message = "The person whom you ask for is suspended."
    default_advice = "Show them the statement: it says why, and takes their appeal."
    default_status = 403
    decision: Decision | None = None
    statement_url = ""
    """What suspended them, and the address that shows reasons and takes the appeal."""


def check(
    end_user: EndUser | None, *, at: datetime, told_at: Callable[[Decision], str] | None = None
) -> None:
    """Raise EndUserSuspended while it is; `told_at` says where a decision's statement is read by
    somebody without an account."""
    if end_user is None or not end_user.is_suspended(at=at):
        return
    held = Suspension.objects.filter(end_user=end_user, lifted_at=None, ends_at__gt=at)
    row = held.select_related("decision").order_by("-ends_at").first()
    until = end_user.suspended_until
    error = EndUserSuspended(
        message=f"The person whom you ask for is suspended until {until:%-d %B %Y, %H:%M} UTC."
    )
    error.decision = row.decision if row else None
    if error.decision is not None and told_at is not None:
        error.statement_url = told_at(error.decision)
        error.advice = f"Show them reasons and appeal: {error.statement_url}"
    raise error


def follow(decision: Decision) -> None:
    """Set the standing anew after a decision that warns, suspends, or undoes either."""
    if decision.end_user_id is None:
        return
    row = EndUser.objects.select_for_update().get(pk=decision.end_user_id)
    event = _EVENTS.get(decision.action, "")
    if _set_anew(row, at=decision.decided_at) or event:
        undone = "end_user.suspended" if row.suspended_until else "end_user.restored"
        _tell(row, event or undone, of=decision)


def let_return(*, at: datetime) -> None:
    """Set anew the standing of those whose suspension has run out, and tell their projects; a
    warning that stands beside it goes on."""
    over = EndUser.objects.filter(standing=Standing.SUSPENDED, suspended_until__lte=at)
    for found in list(over.order_by("suspended_until").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            row = over.select_for_update(skip_locked=True).filter(pk=found).first()
            if row is None:
                continue
            ended = Suspension.objects.filter(end_user=row, lifted_at=None, ends_at__lte=at)
            last = ended.select_related("decision").order_by("-ends_at").first()
            if _set_anew(row, at=at) and last is not None:
                _tell(row, "end_user.restored", of=last.decision)


def _set_anew(row: EndUser, *, at: datetime) -> bool:
    """Whether it changed. An erased person's digest was kept for the suspension alone."""
    before = row.standing, row.suspended_until
    row.standing, row.suspended_until = _standing_of(row, at=at)
    if (row.standing, row.suspended_until) == before:
        return False
    if row.erased_at is not None and row.suspended_until is None:
        row.ref = ""
    row.save(update_fields=["standing", "suspended_until", "ref"])
    return True


def _tell(row: EndUser, event: str, *, of: Decision) -> None:
    until = row.suspended_until.isoformat() if row.suspended_until else None
    said = {"state": str(row.standing), "until": until, "decision_id": str(of.id)}
    events.tell(row.project_id, event, said, end_user_id=row.pk)


def _standing_of(row: EndUser, *, at: datetime) -> tuple[Standing, datetime | None]:
    held = Suspension.objects.filter(end_user=row, lifted_at=None, ends_at__gt=at)
    if (until := held.order_by("-ends_at").values_list("ends_at", flat=True).first()) is not None:
        return Standing.SUSPENDED, until
    return (Standing.WARNED if strikes(row, since=None) else Standing.GOOD), None


def strikes(row: EndUser, *, since: datetime | None) -> int:
    """Warnings and suspensions of an end user that nobody reversed."""
    return _strikes(since).filter(end_user=row).count()


def strikes_of_project(project_id: UUID, *, at: datetime, days: int = 30) -> int:
    """The same of a project's end users together: whoever changes ids is counted here."""
    found = _strikes(at - timedelta(days=days))
    return found.filter(project_id=project_id, end_user__isnull=False).count()


def _strikes(since: datetime | None) -> QuerySet[Decision]:
    found = Decision.objects.filter(action__in=("warn", "suspend"), reversed_by=None)
    return found if since is None else found.filter(decided_at__gte=since)
