"""Reviewers among themselves: notes on a case, and whose it is."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from config.core.errors import ProofsheetError
from moderation.cases import review_cases
from moderation.cases.review_cases import SEVERE
from moderation.models import CaseNote, ReviewCase
from moderation.policy.rulebook import characters

TEXT_MAX = 2000
NUL = "\0"  # which PostgreSQL keeps in no text
_BACKEND = "django.contrib.auth.backends.ModelBackend"


class NoteMissing(ProofsheetError):
    """The note is empty or too long."""

    default_code = "note_missing"
    default_message = f"A note has 1 to {TEXT_MAX} characters."
    default_advice = "Write it again, shorter if it was long."
    default_status = 422


class NotAssignable(ProofsheetError):
    """There is no such reviewer, or the case is not for them."""

    default_code = "not_assignable"
    default_message = "This case cannot be assigned to that person."
    default_advice = "Choose one of the people in the list."
    default_status = 422


def write(case: ReviewCase, text: str, *, by: User, at: datetime) -> CaseNote:
    """Write a note for whoever works on the case next. Raises NoteMissing, OwnSubject."""
    if review_cases.is_own(case, by=by):
        raise review_cases.OwnSubject
    words = characters.typed(text)
    if not 1 <= len(words) <= TEXT_MAX or NUL in words:
        raise NoteMissing
    return CaseNote.objects.create(case=case, author=by, text=words, written_at=at)


def of_case(case: ReviewCase, *, by: User) -> QuerySet[CaseNote]:
    """The case's notes, oldest first: none while it is answered blind, and none for its owner."""
    if case.is_masked or review_cases.is_own(case, by=by):
        return CaseNote.objects.none()
    return CaseNote.objects.filter(case=case).select_related("author").order_by("written_at", "id")


def reviewers(case: ReviewCase) -> QuerySet[User]:
    """Whom the case can be assigned to: those who may decide it, but not its owner."""
    needed = "hear_appeals" if case.severity >= SEVERE else "review_cases"
    found = User.objects.with_perm(
        f"moderation.{needed}", include_superusers=False, backend=_BACKEND
    )
    left_out = [pk for pk in (case.owner_id, case.not_for_id) if pk is not None]
    return found.exclude(pk__in=left_out).order_by("username")


@transaction.atomic
def assign(case: ReviewCase, *, to: str, by: User) -> ReviewCase:
    """Assign the case to the reviewer of that name, or for no name to nobody.

    Raises NotAssignable, and as claiming does CaseNotFound, CaseDecided and OwnSubject.
    """
    row = review_cases.undecided(case, by=by)
    person = next((who for who in reviewers(row) if who.username == to), None)
    if to and person is None:
        raise NotAssignable
    row.assign(to_id=person.pk if person else None)
    return row
