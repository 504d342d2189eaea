"""What an account is under: its warnings, and whether it is suspended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet

from config.core.errors import ProofsheetError
from moderation.account_status import end_user_standing
from moderation.models import Decision, Statement, Suspension
from moderation.subjects.actions import ON_ACCOUNTS


class AccountSuspended(ProofsheetError):
    """The account may ask for nothing new until the suspension ends."""

    default_code = "account_suspended"
    default_message = "Your account is suspended."
    default_advice = "Its page says until when and why, and takes your appeal."
    default_status = 403


@dataclass(frozen=True, slots=True)
class Mark:
    """A warning or a suspension as its person reads it. `until` is None for a warning."""

    title: str
    statement_url: str
    given_at: datetime
    until: datetime | None
    is_in_force: bool
    is_reversed: bool


def suspension_of(user_id: int | None, *, at: datetime) -> Suspension | None:
    """The suspension that holds at `at`, the longest if there are several."""
    if user_id is None:
        return None
    return _in_force(user_id, at=at).select_related("decision__statement").first()


def _in_force(user_id: int, *, at: datetime) -> QuerySet[Suspension]:
    return Suspension.objects.filter(
        user_id=user_id, lifted_at__isnull=True, began_at__lte=at, ends_at__gt=at
    ).order_by("-ends_at")


def check(user_id: int | None, *, at: datetime) -> None:
    """Raise AccountSuspended while the account is suspended."""
    if user_id is None:
        return
    ends_at = _in_force(user_id, at=at).values_list("ends_at", flat=True).first()
    if ends_at is not None:
        raise AccountSuspended(
            message=f"Your account is suspended until {ends_at:%-d %B %Y, %H:%M} UTC."
        )


def follow(decision: Decision) -> None:
    """Suspend the owner's account, or the end user whom it asked for, or lift what a reversed
    decision did, in its transaction."""
    at = decision.decided_at
    if decision.action == Decision.Action.SUSPEND and decision.owner_id is not None:
        assert decision.days is not None
        Suspension.objects.create(
            user_id=None if decision.end_user_id else decision.owner_id,
            end_user_id=decision.end_user_id,
            decision=decision,
            began_at=at,
            ends_at=at + timedelta(days=decision.days),
        )
    if decision.reverses_id is not None:
        for row in Suspension.objects.select_for_update().filter(decision=decision.reverses_id):
            row.lift(at=at)
    end_user_standing.follow(decision)


def marks_of(*, by: User, at: datetime) -> list[Mark]:
    """The account's warnings and suspensions, newest first."""
    return [_mark(statement, at=at) for statement in _statements(by)]


def _statements(by: User) -> QuerySet[Statement]:
    mine = Statement.objects.filter(owner=by, end_user=None, decision__action__in=ON_ACCOUNTS)
    related = ("decision", "decision__reversed_by", "decision__suspension")
    return mine.select_related(*related).order_by("-created_at", "id")


def _mark(statement: Statement, *, at: datetime) -> Mark:
    decision = statement.decision
    row: Suspension | None = getattr(decision, "suspension", None)
    is_reversed = hasattr(decision, "reversed_by")
    return Mark(
        title="Suspension" if row else "Warning",
        statement_url=statement.get_absolute_url(),
        given_at=decision.decided_at,
        until=row.ends_at if row else None,
        is_in_force=not is_reversed and (row is None or row.ends_at > at),
        is_reversed=is_reversed,
    )
