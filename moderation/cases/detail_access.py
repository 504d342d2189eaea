"""The evidence of a case or an appeal as a page shows it: dossier, picture, and their addresses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, User
from django.urls import reverse

from moderation.cases import reported, review_cases, wellbeing
from moderation.cases.case_detail import compile_dossier
from moderation.cases.case_pictures import ShownSubject, is_revealed
from moderation.models import ReviewCase, SubjectKind
from moderation.subjects import evidence

Of = Literal["case", "appeal"]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What is looked at, whose it is, and on which page; `case` where it is not an appeal's."""

    of: Of
    id: UUID
    shown: ShownSubject
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
    shown = ShownSubject(
        case.subject_kind,
        case.subject_id,
        case.severity,
        evidence.read(case.subject_kind, review_cases.shown(case)),
        category=category,
    )
    version = review_cases.policy_version_of(case)
    return Exhibit("case", case.id, shown, case.owner, version, case.id, case.is_masked, case)


def check_reveal(exhibit: Exhibit, *, by: User, at: datetime) -> None:
    """Raises review_cases.NotHeld where `by` may not see the picture in full."""
    if not may_reveal(exhibit, by=by, at=at):
        raise review_cases.NotHeld


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
        "reports": reported.said_about(exhibit.case_id) if is_told else (),
        "is_blind": is_blind or exhibit.is_masked,
        "is_masked": exhibit.is_masked,
        "is_revealed": may_see and is_uncovered and is_revealed(exhibit.shown, by=by, at=at),
        "may_reveal": may_see,
        "exposure": exposure,
        "derivative_url": exhibit.url_of("derivative"),
        "picture_url": exhibit.url_of("picture"),
        "reveal_url": exhibit.url_of("reveal"),
    }
