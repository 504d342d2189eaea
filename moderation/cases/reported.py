"""What reports say of a case: whether it was opened by one, on which grounds, in which words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from moderation.models import Report
from moderation.policy.rulebook import policy_document

OTHER_GROUNDS = {
    "unlawful": "Unlawful for another reason, such as copyright",
    "other": "Something else that the rules forbid",
}


@dataclass(frozen=True, slots=True)
class ReportWords:
    """A report as reviewers read it: what it says, and never who sent it."""

    title: str
    explanation: str
    is_trusted: bool
    received_at: datetime


def grounds() -> dict[str, str]:
    """What a picture can be reported for, and the titles: the policy's categories first."""
    categories = policy_document.active("general").categories
    return {name: category.title for name, category in categories.items()} | OTHER_GROUNDS


def of_case(case_id: UUID | None) -> QuerySet[Report]:
    """A case's reports, trusted ones first, then the oldest."""
    return Report.objects.filter(case_id=case_id).order_by("-is_trusted", "received_at", "id")


def said_about(case_id: UUID | None) -> tuple[ReportWords, ...]:
    """The words of a case's reports, in the order of `of_case`."""
    titles = grounds()
    return tuple(
        ReportWords(titles.get(n.category, n.category), n.explanation, n.is_trusted, n.received_at)
        for n in of_case(case_id)
    )
