"""What became of a report, as whoever sent it reads it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from moderation.cases import reported
from moderation.decisions import allowed_actions
from moderation.decisions.allowed_actions import UNFOUNDED
from moderation.models import Appeal, Decision, Report
from moderation.statements import issuing
from moderation.subjects.actions import RESTRICTIONS

State = Literal["waiting", "withheld", "restricted", "stays"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`ground` is the reason's title, `deadline` the end of the appeal window; None or empty while
    nothing is decided. `appeal` is the one against the decision, whoever of several lodged it.
    """

    key: UUID
    image_id: UUID
    title: str
    explanation: str
    received_at: datetime
    due_at: datetime
    state: State
    ground: str
    is_unfounded: bool
    decided_at: datetime | None
    deadline: datetime | None
    appeal: Appeal | None
    is_own_appeal: bool

    def is_contestable(self, *, at: datetime) -> bool:
        """Whether the decision that the picture stays can still be appealed against."""
        is_open = self.deadline is not None and at <= self.deadline
        return self.state == "stays" and self.appeal is None and is_open


def receipt(report: Report) -> Receipt:
    """What became of a report, by the decision that holds now."""
    first, holds = report.first_decision, report.decision
    appeal: Appeal | None = getattr(first, "appeal", None)
    stays = first is not None and first.action == Decision.Action.ALLOW
    return Receipt(
        key=report.receipt_key,
        image_id=report.case.subject_id,
        title=reported.grounds().get(report.category, report.category),
        explanation=report.explanation,
        received_at=report.received_at,
        due_at=report.case.due_at,
        state=_state(holds),
        ground=_ground(holds) if holds else "",
        is_unfounded=holds is not None and holds.reason == UNFOUNDED,
        decided_at=holds.decided_at if holds else None,
        deadline=issuing.deadline(first) if first and stays and holds == first else None,
        appeal=appeal if stays else None,
        is_own_appeal=appeal is not None and appeal.report_id == report.id,
    )


def _state(holds: Decision | None) -> State:
    if holds is None:
        return "waiting"
    match holds.action:
        case Decision.Action.ALLOW:
            return "stays"
        case Decision.Action.BLUR | Decision.Action.AGE_RESTRICT:
            return "restricted"
        case _:
            return "withheld"


def _ground(holds: Decision) -> str:
    if holds.action in RESTRICTIONS:
        return issuing.category_of(holds).title
    titles = allowed_actions.ALLOW_REASONS | allowed_actions.IF_REPORTED
    return titles.get(holds.reason, "Its owner appealed, and the refusal was reversed")
