"""The evidence of a case or an appeal as a page shows it: dossier, picture, and their addresses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, User
from django.urls import reverse

from moderation.appeals import hearing
from moderation.cases import review_cases, wellbeing
from moderation.cases.case_detail import compile_dossier
from moderation.cases.case_pictures import Shown, is_revealed
from moderation.decisions import allowed_actions
from moderation.models import Appeal, ReviewCase, SubjectKind
from moderation.policy.rulebook import policy_document
from moderation.reports import reporting

Of = Literal["case", "appeal"]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What is looked at, whose it is, and on which page; `case` where it is not an appeal's."""

    of: Of
    id: UUID
    shown: Shown
    owner: AbstractBaseUser | None
    policy_version: str
    case_id: UUID | None
    is_masked: bool = False
    case: ReviewCase | None = None

    @property
    def url(self) -> str:
        return reverse(f"moderation:{self.of}", args=[self.id])

    def url_of(self, part: Literal["derivative", "picture", "reveal"]) -> str:
        name = part if self.of == "case" else f"appeal-{part}"
        return reverse(f"moderation:{name}", args=[self.id])


def of_case(case: ReviewCase) -> Exhibit:
    """Of a case that is answered blind without verdict, scores and category."""
    category = "" if case.is_masked else case.category
    shown = Shown(
        case.subject_kind,
        case.subject_id,
        case.severity,
        review_cases.shown(case),
        category=category,
    )
    version = allowed_actions.policy_version_of(case)
    return Exhibit("case", case.id, shown, case.owner, version, case.id, case.is_masked, case)


def of_appeal(appeal: Appeal) -> Exhibit:
    """Of a restriction by its category; of what was reported and stays, by what the report says. Of
    an adapter that was withdrawn for a picture, the picture.
    """
    decision = appeal.decision
    seen = decision.follows or decision
    name = appeal.notice.category if appeal.notice else decision.reason
    category = policy_document.load(decision.policy_version).categories.get(name)
    shown = Shown(
        seen.subject_kind,
        seen.subject_id,
        category.severity if category else 1,
        seen.evidence,
        category=category.name if category else "",
    )
    owner, version = decision.owner, decision.policy_version
    reverses = decision.reverses
    case_id = reverses.case_id if reverses else seen.case_id
    return Exhibit("appeal", appeal.id, shown, owner, version, case_id)


def find(of: Of, found_id: UUID, *, by: User) -> Exhibit:
    """The exhibit of a case or appeal that `by` may look into; raises what their rooms raise."""
    if of == "case":
        return of_case(review_cases.find(found_id, by=by))
    return of_appeal(hearing.find_to_hear(found_id, by=by))


def find_to_reveal(of: Of, found_id: UUID, *, by: User, at: datetime) -> Exhibit:
    """The exhibit whose picture `by` may see in full; raises cases.NotHeld too."""
    exhibit = find(of, found_id, by=by)
    if not may_reveal(exhibit, by=by, at=at):
        raise review_cases.NotHeld
    return exhibit


def may_reveal(exhibit: Exhibit, *, by: User, at: datetime) -> bool:
    """Whether `by` holds the case, or is asked to confirm it; whoever may hear an appeal may."""
    case = exhibit.case
    if case is None:
        return True
    if case.status == ReviewCase.Status.PROPOSED:
        return case.leased_by_id == by.pk or by.has_perm("moderation.hear_appeals")
    return case.leased_by_id == by.pk and case.is_leased(at=at)


def context(exhibit: Exhibit, *, by: User, at: datetime, is_blind: bool = False) -> dict[str, Any]:
    """What ``moderation/_dossier.html`` needs; blind, it hides how the owner fared before."""
    dossier = compile_dossier(
        exhibit.shown, owner=exhibit.owner, policy_version=exhibit.policy_version
    )
    exposure = wellbeing.exposure(by=by, at=at)
    may_see = may_reveal(exhibit, by=by, at=at)
    is_uncovered = dossier.has_picture and not exposure.resting_until
    is_of_picture = exhibit.shown.subject_kind == SubjectKind.IMAGE  # only they can be reported
    is_told = is_of_picture and not exhibit.is_masked and exhibit.owner != by
    return {
        "dossier": dossier,
        "reports": reporting.said_about(exhibit.case_id) if is_told else (),
        "is_blind": is_blind or exhibit.is_masked,
        "is_masked": exhibit.is_masked,
        "is_revealed": may_see and is_uncovered and is_revealed(exhibit.shown, by=by, at=at),
        "may_reveal": may_see,
        "exposure": exposure,
        "derivative_url": exhibit.url_of("derivative"),
        "picture_url": exhibit.url_of("picture"),
        "reveal_url": exhibit.url_of("reveal"),
    }
