"""The evidence that whoever hears an appeal looks at."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from moderation.appeals import hearing
from moderation.cases.case_pictures import ShownSubject
from moderation.cases.detail_access import Exhibit
from moderation.models import Appeal
from moderation.policy.rulebook import policy_document
from moderation.subjects.evidence import as_told


def of_appeal(appeal: Appeal) -> Exhibit:
    """Of a restriction by its category; of what was reported and stays, by what the report says. Of
    an adapter that was withdrawn for a picture, the picture.
    """
    decision = appeal.decision
    seen = decision.follows or decision
    name = appeal.report.category if appeal.report else decision.reason
    category = policy_document.load(decision.policy_version).categories.get(name)
    shown = ShownSubject(
        seen.subject_kind,
        seen.subject_id,
        category.severity if category else 1,
        seen.seen,
        category=category.name if category else "",
    )
    owner, version = decision.owner, decision.policy_version
    reverses = decision.reverses
    case_id = reverses.case_id if reverses else seen.case_id
    return Exhibit("appeal", appeal.id, shown, owner, version, case_id)


def told_evidence(appeal: Appeal) -> dict[str, Any]:
    """The evidence that `of_appeal` shows, as the API tells it."""
    decision = appeal.decision
    return as_told((decision.follows or decision).evidence)


def find_to_hear(appeal_id: UUID, *, by: User) -> Exhibit:
    """The evidence of an appeal that `by` may hear; raises what `hearing.find_to_hear` raises."""
    return of_appeal(hearing.find_to_hear(appeal_id, by=by))
