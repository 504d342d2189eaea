"""Screening a submitted prompt: allowed, held, refused, or not screened and therefore not made."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from adapters.models import BaseModel
from generation.models import RequestStatus
from generation.requests import prompt_screening
from generation.studio import own_requests
from generation.work import sweeper
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Decision, ReviewCase, Statement
from moderation.subjects.subject import Action
from tests.factories import NOON, make_request
from tests.fakes import BrokenClassifier, FakePromptClassifier

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prompt_classifier")]


@pytest.mark.parametrize(
    ("prompt", "status", "is_held"),
    [
        ("a red apple", "queued", False),
        ("a doubtful thing", "submitted", True),
        ("an awful thing", "refused", False),
    ],
)
def test_verdict_moves_the_request(
    alice: User, model: BaseModel, prompt: str, status: str, is_held: bool
) -> None:
    request = make_request(alice, model, status=RequestStatus.SUBMITTED, prompt=prompt)
    prompt_screening.screen(request.id, at=NOON)
    prompt_screening.screen(request.id, at=NOON)
    request.refresh_from_db()
    assert (request.status, request.is_held) == (status, is_held)
    assert ReviewCase.objects.count() == int(is_held)
    assert Decision.objects.count() == Statement.objects.count() == int(status == "refused")
    assert "screen_prompt_ms" in request.timings


def test_refused_prompt_names_its_code(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.SUBMITTED, prompt="awful")
    prompt_screening.screen(request.id, at=NOON)
    request.refresh_from_db()
    assert (request.code, request.ended_at) == ("prompt_refused", NOON)


def test_cancelled_request_is_not_screened(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.SUBMITTED)
    own_requests.cancel(request.id, by=alice, at=NOON)
    prompt_screening.screen(request.id, at=NOON)
    request.refresh_from_db()
    assert request.status == "cancelled"


def test_prompt_that_nothing_can_screen_is_given_up_and_never_queued(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.classifiers import prompt

    monkeypatch.setattr(prompt, "classifier", BrokenClassifier)
    request = make_request(alice, model, status=RequestStatus.SUBMITTED)
    for _ in range(prompt_screening.ATTEMPTS_MAX):
        with pytest.raises(RuntimeError):
            prompt_screening.screen(request.id, at=NOON)
    request.refresh_from_db()
    assert request.status == "submitted"
    prompt_screening.screen(request.id, at=NOON)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "screening_failed")


@pytest.mark.parametrize(("action", "status"), [("allow", "queued"), ("refuse", "refused")])
def test_reviewer_decides_a_held_prompt(
    alice: User, bob: User, model: BaseModel, action: Action, status: str
) -> None:
    request = make_request(alice, model, status=RequestStatus.SUBMITTED, prompt="doubtful")
    prompt_screening.screen(request.id, at=NOON)
    case = review_cases.claim(ReviewCase.objects.get(), by=bob, at=NOON)
    assert case.lease_token is not None
    reason = "within_policy" if action == "allow" else "sexual"
    enforcing.decide(case, by=bob, action=action, reason=reason, at=NOON, token=case.lease_token)
    request.refresh_from_db()
    assert (request.status, request.is_held) == (status, False)


def test_held_prompt_that_was_cancelled_stays_cancelled(
    alice: User, bob: User, model: BaseModel, prompt_classifier: FakePromptClassifier
) -> None:
    request = make_request(alice, model, status=RequestStatus.SUBMITTED, prompt="doubtful")
    prompt_screening.screen(request.id, at=NOON)
    own_requests.cancel(request.id, by=alice, at=NOON)
    case = review_cases.claim(ReviewCase.objects.get(), by=bob, at=NOON)
    assert case.lease_token is not None
    enforcing.decide(
        case, by=bob, action="allow", reason="within_policy", at=NOON, token=case.lease_token
    )
    request.refresh_from_db()
    assert request.status == "cancelled"


def test_held_prompt_is_not_sent_to_screening_again(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.SUBMITTED, prompt="doubtful")
    prompt_screening.screen(request.id, at=NOON)
    sweeper.sweep(at=NOON + 10 * sweeper.PATIENCE)
    prompt_screening.screen(request.id, at=NOON)
    assert ReviewCase.objects.count() == 1
