"""Cases as the queue lists them, and the queue in numbers: frozen values for the templates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.contrib.auth.models import User
from django.db.models import Count, Min, Q

from moderation import cases, policy
from moderation.models import ReviewCase

Standing = Literal["free", "mine", "taken", "own", "proposed", "decided"]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One row of the queue as one reviewer sees it. `holder` and `until` name the current lease."""

    url: str
    kind: str
    severity: int
    category: str
    prompt: str
    opened_at: datetime
    due_at: datetime
    is_overdue: bool
    standing: Standing
    holder: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What waits for one reviewer."""

    waiting: int
    prompts: int
    images: int
    adapters: int
    overdue: int
    due_at: datetime | None


def line(case: ReviewCase, *, by: User, at: datetime) -> CaseLine:
    is_leased = case.is_leased(at=at)
    return CaseLine(
        url=case.get_absolute_url(),
        kind=case.subject_kind,
        severity=case.severity,
        category=title_of(case),
        prompt=case.evidence.get("prompt", ""),
        opened_at=case.opened_at,
        due_at=case.due_at,
        is_overdue=case.status != ReviewCase.Status.DECIDED and case.due_at < at,
        standing=standing(case, by=by, at=at),
        holder=str(case.leased_by) if is_leased and case.leased_by else "",
        until=case.lease_expires_at if is_leased else None,
    )


def standing(case: ReviewCase, *, by: User, at: datetime) -> Standing:
    """What this reviewer can do with the case now."""
    if case.status == ReviewCase.Status.DECIDED:
        return "decided"
    if case.status == ReviewCase.Status.PROPOSED:
        return "proposed"
    if case.owner_id == by.pk:
        return "own"
    if not case.is_leased(at=at):
        return "free"
    return "mine" if case.leased_by_id == by.pk else "taken"


def title_of(case: ReviewCase) -> str:
    """The category that the case was opened for; empty where nothing was scored."""
    if not case.category:
        return ""
    return policy.load(case.evidence["policy_version"]).categories[case.category].title


def summary(*, by: User, at: datetime) -> Summary:
    counts = cases.queue(by=by).aggregate(
        waiting=Count("id"),
        prompts=Count("id", filter=Q(subject_kind="prompt")),
        images=Count("id", filter=Q(subject_kind="image")),
        adapters=Count("id", filter=Q(subject_kind="adapter")),
        overdue=Count("id", filter=Q(due_at__lt=at)),
        due_at=Min("due_at"),
    )
    return Summary(**counts)
