"""Cases as the queue lists them, and the queue in numbers: frozen values for the templates."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Q

from moderation.cases import review_cases
from moderation.models import ReviewCase
from moderation.policy.rulebook import policy_document

Standing = Literal["free", "mine", "taken", "own", "proposed", "decided"]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One row of the queue as one reviewer sees it. `holder` and `until` name the current lease."""

    id: UUID
    url: str
    kind: str
    severity: int
    category: str
    is_blind: bool
    is_reported: bool
    prompt: str
    opened_at: datetime
    due_at: datetime
    is_overdue: bool
    standing: Standing
    holder: str
    until: datetime | None
    assignee: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What waits for one reviewer: (kind, category) -> (cases, overdue ones)."""

    counts: Mapping[tuple[str, str], tuple[int, int]]

    def matching(self, *, kind: str = "", category: str = "") -> int:
        """How many cases a filter of the queue leaves."""
        return sum(
            count
            for (of_kind, of_category), (count, _) in self.counts.items()
            if kind in {"", of_kind} and category in {"", of_category}
        )

    @property
    def waiting(self) -> int:
        return self.matching()

    @property
    def prompts(self) -> int:
        return self.matching(kind="prompt")

    @property
    def images(self) -> int:
        return self.matching(kind="image")

    @property
    def adapters(self) -> int:
        return self.matching(kind="adapter")

    @property
    def overdue(self) -> int:
        return sum(overdue for _, overdue in self.counts.values())


def line(case: ReviewCase, *, by: User, at: datetime) -> CaseLine:
    """A case as this reviewer sees it in the queue."""
    is_leased, seen = case.is_leased(at=at), case.seen
    return CaseLine(
        id=case.id,
        url=case.get_absolute_url(),
        kind=case.subject_kind,
        severity=case.severity,
        category=title_of(case),
        is_blind=case.is_masked,
        is_reported=seen.is_reported,
        prompt=seen.prompt or "",
        opened_at=case.opened_at,
        due_at=case.due_at,
        is_overdue=case.status != ReviewCase.Status.DECIDED and case.due_at < at,
        standing=standing(case, by=by, at=at),
        holder=str(case.leased_by) if is_leased and case.leased_by else "",
        until=case.lease_expires_at if is_leased else None,
        assignee=str(case.assigned_to or ""),
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
    """The category that the case was opened for; empty where nothing was scored or may be seen."""
    if not case.category or case.is_masked:
        return ""
    return policy_document.load(case.seen.policy_version).categories[case.category].title


def summary(*, by: User, at: datetime) -> Summary:
    """The numbers of a reviewer's queue, by one query."""
    rows = (
        review_cases.queue(by=by)
        .order_by()
        .values("subject_kind", "category", "is_blind")
        .annotate(waiting=Count("due_at"), overdue=Count("due_at", filter=Q(due_at__lt=at)))
    )
    counts: Counter[tuple[str, str]] = Counter()
    late: Counter[tuple[str, str]] = Counter()
    for row in rows:
        key = (row["subject_kind"], "" if row["is_blind"] else row["category"])
        counts[key] += row["waiting"]
        late[key] += row["overdue"]
    return Summary({key: (count, late[key]) for key, count in counts.items()})
