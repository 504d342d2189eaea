"""The undo window and the second person: what happens between a decision and its effect."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from moderation.cases import review_cases
from moderation.decisions import enforcing, pending_decisions
from moderation.models import Decision, PendingDecision, ReviewCase
from moderation.signals import decision_enforced
from moderation.tasks import settle_decisions
from tests.moderation.makers import (
    NOON,
    VERSION,
    claimed,
    prompt_case,
    severe_case,
)

WINDOW = timedelta(seconds=30)


@pytest.fixture
def news() -> Any:
    heard: list[str] = []

    def listen(*, outcome: str, **_: Any) -> None:
        heard.append(outcome)

    decision_enforced.connect(listen)
    yield heard
    decision_enforced.disconnect(listen)


@pytest.fixture
def chloe(roles: Any) -> User:
    """A second senior moderator."""
    user = User.objects.create_user("chloe", "chloe@example.org", "a long test password")
    user.groups.set([roles["moderators"], roles["senior moderators"]])
    return user


def proposed(case: ReviewCase, by: User, reason: str = "nudity", at: Any = NOON) -> PendingDecision:
    row, token = claimed(case, by, at=at)
    return pending_decisions.propose(
        row, by=by, action="refuse", reason=reason, token=token, at=at, explanation="Words."
    )


def test_propose_has_no_effect_before_the_window_is_over(alice: User, bob: User, news: Any) -> None:
    case = prompt_case(alice)
    proposed(case, bob)
    assert pending_decisions.settle(at=NOON + WINDOW - timedelta(seconds=1)) == 0
    assert (news, Decision.objects.count()) == ([], 0)
    assert case not in review_cases.queue(by=bob)


def test_settle_gives_effect_once_after_the_window(alice: User, bob: User, news: Any) -> None:
    case = prompt_case(alice)
    proposed(case, bob)
    assert [pending_decisions.settle(at=NOON + WINDOW) for _ in range(2)] == [1, 0]
    decision = Decision.objects.get(case=case)
    assert (decision.decided_by, decision.explanation, news) == (bob, "Words.", ["refuse"])
    assert decision.statement


def test_undo_gives_the_case_back_with_nothing_sent(alice: User, bob: User, news: Any) -> None:
    case = prompt_case(alice)
    proposed(case, bob)
    pending_decisions.undo(case, by=bob, at=NOON + timedelta(seconds=29))
    row = ReviewCase.objects.get(id=case.id)
    assert (row.status, row.leased_by) == ("leased", bob)
    assert pending_decisions.settle(at=NOON + WINDOW) == 0
    assert news == []


def test_undo_refuses_after_the_window_and_to_others(alice: User, bob: User, carol: User) -> None:
    case = prompt_case(alice)
    proposed(case, bob)
    with pytest.raises(pending_decisions.TooLate):
        pending_decisions.undo(case, by=carol, at=NOON)
    with pytest.raises(pending_decisions.TooLate):
        pending_decisions.undo(case, by=bob, at=NOON + WINDOW)


def test_propose_takes_the_case_out_of_every_hand(alice: User, bob: User, carol: User) -> None:
    case = prompt_case(alice)
    proposed(case, bob)
    with pytest.raises(review_cases.CaseDecided):
        review_cases.claim(case, by=carol, at=NOON)
    with pytest.raises(review_cases.CaseDecided):
        enforcing.decide(
            case, by=carol, action="allow", reason="within_policy", token=uuid4(), at=NOON
        )


def test_settle_goes_on_when_one_decision_fails(alice: User, bob: User) -> None:
    broken, sound = prompt_case(alice), prompt_case(alice)
    proposed(broken, bob)
    proposed(sound, bob)

    def fail(*, subject_id: Any, **_: Any) -> None:
        if subject_id == broken.subject_id:
            raise RuntimeError("the subject's room failed")

    decision_enforced.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            pending_decisions.settle(at=NOON + WINDOW)
    finally:
        decision_enforced.disconnect(fail)
    assert Decision.objects.get().case == sound
    assert PendingDecision.objects.get().case == broken


def test_confirm_is_not_undone_by_another_case_that_fails(
    alice: User, bob: User, carol: User, chloe: User
) -> None:
    broken, severe = prompt_case(alice), severe_case(alice)
    proposed(broken, bob)
    row, token = claimed(severe, carol)
    pending_decisions.propose(row, by=carol, action="refuse", reason="minors", token=token, at=NOON)

    def fail(*, subject_id: Any, **_: Any) -> None:
        if subject_id == broken.subject_id:
            raise RuntimeError("the subject's room failed")

    decision_enforced.connect(fail)
    try:
        pending_decisions.confirm(severe, by=chloe, at=NOON + WINDOW)
    finally:
        decision_enforced.disconnect(fail)
    assert Decision.objects.get().case == severe


def test_settle_leaves_what_another_settled_meanwhile(alice: User, bob: User) -> None:
    first, second = prompt_case(alice), prompt_case(alice)
    proposed(first, bob)
    proposed(second, bob)

    def settle_too(*, subject_id: Any, **_: Any) -> None:
        if subject_id == first.subject_id:
            assert pending_decisions.settle(at=NOON + WINDOW) == 1

    decision_enforced.connect(settle_too)
    try:
        assert pending_decisions.settle(at=NOON + WINDOW) == 1
    finally:
        decision_enforced.disconnect(settle_too)
    assert Decision.objects.count() == 2


def test_latest_counts_what_was_decided_together(alice: User, bob: User) -> None:
    for batch in (uuid4(), together := uuid4(), together):
        row, token = claimed(prompt_case(alice), bob)
        pending_decisions.propose(
            row, by=bob, action="refuse", reason="nudity", token=token, at=NOON, batch=batch
        )
    newest = pending_decisions.latest(by=bob, at=NOON)
    assert newest is not None
    counted = PendingDecision.objects.filter(batch=newest.batch).count()
    assert newest.batch_size == counted  # type: ignore[attr-defined] # an annotation


def test_settle_outlives_the_reviewer(alice: User, bob: User) -> None:
    case = prompt_case(alice)
    proposed(case, bob)
    bob.delete()
    assert pending_decisions.settle(at=NOON + WINDOW) == 1
    assert Decision.objects.get(case=case).decided_by is None


def test_severe_decision_waits_for_a_second_person(
    alice: User, carol: User, chloe: User, news: Any
) -> None:
    case = severe_case(alice)
    proposed(case, carol, "minors")
    assert pending_decisions.settle(at=NOON + WINDOW) == 0
    assert [pending.case for pending in pending_decisions.to_confirm(by=chloe)] == [case]
    pending_decisions.confirm(case, by=chloe, at=NOON + WINDOW)
    decision = Decision.objects.get(case=case)
    assert (decision.decided_by, decision.confirmed_by, news) == (carol, chloe, ["refuse"])


def test_confirm_refuses_the_person_who_decided(alice: User, carol: User) -> None:
    case = severe_case(alice)
    proposed(case, carol, "minors")
    assert not pending_decisions.to_confirm(by=carol).exists()
    with pytest.raises(pending_decisions.SamePerson):
        pending_decisions.confirm(case, by=carol, at=NOON)
    with pytest.raises(pending_decisions.SamePerson):
        pending_decisions.overturn(case, by=carol)


def test_confirm_refuses_reviewers_without_the_role(alice: User, bob: User, carol: User) -> None:
    case = severe_case(alice)
    proposed(case, carol, "minors")
    with pytest.raises(pending_decisions.NothingToConfirm):
        pending_decisions.confirm(case, by=bob, at=NOON)


def test_overturn_puts_the_case_back_into_the_queue(alice: User, carol: User, chloe: User) -> None:
    case = severe_case(alice)
    proposed(case, carol, "minors")
    pending_decisions.overturn(case, by=chloe)
    assert ReviewCase.objects.get(id=case.id).status == "open"
    assert not PendingDecision.objects.exists()


def test_decide_at_once_refuses_a_severe_case(alice: User, carol: User) -> None:
    case, token = claimed(severe_case(alice), carol)
    with pytest.raises(enforcing.NeedsSecondPerson):
        enforcing.decide(case, by=carol, action="refuse", reason="minors", token=token, at=NOON)


@pytest.mark.parametrize(
    ("constraint", "is_confirmed"),
    [("confirmer_is_not_decider", True), ("severe_decision_is_confirmed", False)],
)
def test_database_refuses_a_severe_decision_of_one_person(
    alice: User, carol: User, constraint: str, is_confirmed: bool
) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Decision.objects.create(
            subject_kind="prompt",
            subject_id=uuid4(),
            owner=alice,
            action="refuse",
            is_automated=False,
            decided_by=carol,
            confirmed_by=carol if is_confirmed else None,
            is_severe=True,
            is_confirmed=is_confirmed,
            reason="minors",
            code="prompt_refused",
            categories={},
            evidence={},
            policy_version=VERSION,
            decided_at=NOON,
        )


def test_database_refuses_to_confirm_an_own_pending_decision(alice: User, carol: User) -> None:
    proposed(severe_case(alice), carol, "minors")
    with pytest.raises(IntegrityError, match="intent_confirmer"), transaction.atomic():
        PendingDecision.objects.update(confirmed_by=carol)


def test_escalate_hands_the_case_to_seniors(alice: User, bob: User, carol: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    review_cases.escalate(case, by=bob, token=token, at=NOON)
    assert case not in review_cases.queue(by=bob)
    assert case in review_cases.queue(by=carol)
    with pytest.raises(review_cases.StaleLease):
        review_cases.escalate(case, by=bob, token=token, at=NOON)


# ------------------------------------------------------------------ the pages
def url(name: str, case: ReviewCase) -> str:
    return reverse(f"moderation:{name}", args=[case.id])


def test_undo_page_brings_back_what_was_typed(alice: User, bob: User, as_user: Any) -> None:
    case = prompt_case(alice)
    token = claimed(case, bob, at=timezone.now())[1]
    client = as_user(bob)
    form = {"token": token, "action": "refuse", "refuse_reason": "hate", "explanation": "Typed."}
    client.post(url("decide", case), form)
    queue = client.get(reverse("moderation:review")).content.decode()
    assert url("undo", case) in queue
    answer = client.post(url("undo", case))
    assert "Typed." in answer.content.decode()
    assert answer.context["form"].initial["refuse_reason"] == "hate"
    late = client.post(url("undo", case))
    assert (late.status_code, "undo_too_late" in late.content.decode()) == (409, True)


def test_undo_page_gives_back_the_case_that_was_taken_next(
    alice: User, bob: User, as_user: Any
) -> None:
    first, second = prompt_case(alice), prompt_case(alice, at=NOON + timedelta(hours=1))
    token = claimed(first, bob, at=timezone.now())[1]
    client = as_user(bob)
    form = {"token": token, "action": "refuse", "refuse_reason": "hate", "next": "1"}
    page = client.post(url("decide", first), form, follow=True).content.decode()
    held = ReviewCase.objects.get(id=second.id)
    assert f'name="token" value="{held.lease_token}"' in page
    client.post(url("undo", first), {"leave": str(second.id), "token": str(held.lease_token)})
    assert ReviewCase.objects.get(id=second.id).status == "open"
    assert ReviewCase.objects.get(id=first.id).leased_by == bob


def test_severe_case_page_offers_confirmation_to_another_senior_alone(
    alice: User, carol: User, chloe: User, as_user: Any
) -> None:
    case = severe_case(alice)
    proposed(case, carol, "minors", at=timezone.now() - WINDOW)
    assert url("confirm", case) not in as_user(carol).get(url("case", case)).content.decode()
    senior = as_user(chloe)
    assert (
        "Waiting for a second person" in senior.get(reverse("moderation:review")).content.decode()
    )
    assert url("confirm", case) in senior.get(url("case", case)).content.decode()
    refused = as_user(carol).post(url("confirm", case))
    assert (refused.status_code, "same_person" in refused.content.decode()) == (403, True)
    senior.post(url("confirm", case))
    assert Decision.objects.get(case=case).confirmed_by == chloe


def test_severe_case_page_takes_an_overturning(
    alice: User, carol: User, chloe: User, as_user: Any
) -> None:
    case = severe_case(alice)
    proposed(case, carol, "minors", at=timezone.now() - WINDOW)
    as_user(chloe).post(url("overturn", case))
    assert not PendingDecision.objects.exists()


def test_escalate_page_takes_the_next_case(alice: User, bob: User, as_user: Any) -> None:
    first, second = prompt_case(alice), prompt_case(alice, at=NOON + timedelta(hours=1))
    token = claimed(first, bob, at=timezone.now())[1]
    answer = as_user(bob).post(url("escalate", first), {"token": token, "next": "1"})
    assert answer["Location"] == second.get_absolute_url()


def test_task_settles_what_is_due(alice: User, bob: User) -> None:
    proposed(prompt_case(alice), bob)
    settle_decisions()
    assert Decision.objects.count() == 1
