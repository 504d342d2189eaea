"""A verdict acted on: in the audit's frame always, then passed, held or refused."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from moderation.audits.models import FrameEntry
from moderation.decisions import acting
from moderation.models import Decision, ReviewCase
from moderation.screening import classify
from moderation.subjects.subject import Subject
from tests.fakes import FakePromptClassifier
from tests.moderation.makers import NOON, evidence

pytestmark = pytest.mark.django_db


def acted_on(owner: User, words: str) -> Subject:
    """The subject of a prompt, after the house acted on its verdict."""
    subject = Subject("prompt", uuid4(), owner.pk)
    verdict = classify.screen_prompt(words, at=NOON, classifier=FakePromptClassifier())
    shown = evidence(
        prompt=words,
        categories=verdict.categories,
        code=verdict.code,
        screening=str(verdict.screening_id),
        matched=[],
    )
    acting.act(verdict, subject, shown, at=NOON)
    return subject


@pytest.mark.parametrize(
    ("word", "cases", "decisions"), [("fine", 0, 0), ("doubtful", 1, 0), ("awful", 0, 1)]
)
def test_acts_by_the_verdict_and_enters_every_one_into_the_frame(
    alice: User, settings: Any, word: str, cases: int, decisions: int
) -> None:
    settings.PROOFSHEET_AUDIT_PASSED_PER_MILLE = settings.PROOFSHEET_AUDIT_FLAGGED_PER_MILLE = 0
    subject = acted_on(alice, f"a {word} woman")
    entry = FrameEntry.objects.get(subject_id=subject.id)
    assert (entry.gender, entry.is_flagged) == ("woman", word != "fine")
    assert ReviewCase.objects.filter(subject_id=subject.id).count() == cases
    refused = Decision.objects.filter(subject_id=subject.id, action="refuse", is_automated=True)
    assert refused.count() == decisions


@pytest.mark.parametrize("is_drawn", [True, False])
def test_what_is_held_is_reviewed_blind_where_the_lot_fell_on_it(
    alice: User, settings: Any, is_drawn: bool
) -> None:
    settings.PROOFSHEET_AUDIT_FLAGGED_PER_MILLE = 1000 if is_drawn else 0
    subject = acted_on(alice, "a doubtful woman")
    assert ReviewCase.objects.get(subject_id=subject.id).is_blind is is_drawn
