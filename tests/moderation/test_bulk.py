"""Several cases decided at once: preview, conflicts, the common undo window."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from moderation.cases import review_cases
from moderation.decisions import enforcing, pending_decisions
from moderation.desk import bulk
from moderation.models import Decision, PendingDecision, ReviewCase
from moderation.subjects.subject import Subject
from tests.moderation.makers import NOON, claimed, evidence, image_case, prompt_case, severe_case

WINDOW = timedelta(seconds=30)


def several(owner: User, count: int, *, at: Any = NOON) -> list[ReviewCase]:
    return [prompt_case(owner, at=at) for _ in range(count)]


def refuse(found: list[ReviewCase], by: User, *, at: Any = NOON) -> bulk.BulkResult:
    ids = [case.id for case in found]
    return bulk.decide(
        ids, by=by, action="refuse", reason="nudity", explanation="All alike.", at=at
    )


def test_decide_takes_effect_on_every_case_after_the_window(alice: User, bob: User) -> None:
    found = several(alice, 3)
    done = refuse(found, bob)
    assert (done.decided, done.left, done.gone) == (3, (), 0)
    assert not Decision.objects.exists()
    assert pending_decisions.settle(at=NOON + WINDOW) == 3
    assert {row.explanation for row in Decision.objects.all()} == {"All alike."}


def test_preview_changes_nothing_and_names_what_it_would_leave(
    alice: User, bob: User, carol: User
) -> None:
    free, held, done = several(alice, 3)
    claimed(held, carol)
    row, token = claimed(done, carol)
    enforcing.decide(row, by=carol, action="allow", reason="within_policy", token=token, at=NOON)
    own = prompt_case(bob)
    seen = bulk.preview(
        [free.id, held.id, done.id, own.id], by=bob, action="refuse", reason="nudity", at=NOON
    )
    assert [line.id for line in seen.reached] == [free.id]
    assert {left.line.id: left.why.code for left in seen.left} == {
        held.id: "case_taken",
        done.id: "case_decided",
        own.id: "own_subject",
    }
    assert ReviewCase.objects.get(id=free.id).status == "open"


def test_decide_leaves_what_changed_since_the_preview(alice: User, bob: User, carol: User) -> None:
    free, held, done = several(alice, 3)
    claimed(held, carol)
    row, token = claimed(done, carol)
    enforcing.decide(row, by=carol, action="allow", reason="within_policy", token=token, at=NOON)
    made = refuse([free, held, done], bob)
    assert made.decided == 1
    assert {left.why.code for left in made.left} == {"case_taken", "case_decided"}
    assert Decision.objects.get(case=done).decided_by == carol
    assert ReviewCase.objects.get(id=held.id).leased_by == carol


def test_decide_counts_a_case_that_left_the_reviewers_sight(alice: User, bob: User) -> None:
    free, escalated = several(alice, 2)
    ReviewCase.objects.filter(id=escalated.id).update(severity=review_cases.SEVERE)
    assert refuse([free, escalated], bob).gone == 1


def test_decide_leaves_a_measure_that_does_not_fit_and_gives_the_case_back(
    alice: User, bob: User
) -> None:
    prompt, (image, _) = prompt_case(alice), image_case(alice)
    made = bulk.decide([prompt.id, image.id], by=bob, action="blur", reason="nudity", at=NOON)
    [left] = made.left
    assert (made.decided, left.line.id, left.why.code) == (1, prompt.id, "measure_not_offered")
    assert ReviewCase.objects.get(id=prompt.id).status == "open"


def test_severe_and_blind_cases_are_decided_one_by_one(alice: User, carol: User) -> None:
    severe = severe_case(alice)
    subject = Subject("prompt", uuid4(), alice.pk)
    blind = review_cases.open_case(subject=subject, evidence=evidence(), at=NOON, is_blind=True)
    made = refuse([severe, blind], carol)
    assert (made.decided, {left.why.code for left in made.left}) == (0, {"bulk_one_by_one"})


def test_undo_takes_all_of_them_back(alice: User, bob: User) -> None:
    found = several(alice, 3)
    batch = refuse(found, bob).batch
    assert bulk.undo(batch, by=bob, at=NOON + WINDOW - timedelta(seconds=1)) == 3
    assert {row.status for row in ReviewCase.objects.all()} == {"open"}
    assert pending_decisions.settle(at=NOON + WINDOW) == 0


def test_undo_refuses_after_the_window_and_to_others(alice: User, bob: User, carol: User) -> None:
    batch = refuse(several(alice, 2), bob).batch
    with pytest.raises(pending_decisions.TooLate):
        bulk.undo(batch, by=carol, at=NOON)
    with pytest.raises(pending_decisions.TooLate):
        bulk.undo(batch, by=bob, at=NOON + WINDOW)


def test_decide_refuses_nothing_and_too_many(bob: User) -> None:
    with pytest.raises(bulk.NothingChosen):
        refuse([], bob)
    ids = [uuid4() for _ in range(bulk.MOST + 1)]
    with pytest.raises(bulk.TooMany):
        bulk.decide(ids, by=bob, action="refuse", reason="nudity", at=NOON)


# ------------------------------------------------------------------ the pages
def url(name: str, *args: Any) -> str:
    return reverse(f"moderation:{name}", args=args)


def test_pages_preview_confirm_and_undo_the_ticked_cases(
    alice: User, bob: User, as_user: Any
) -> None:
    found = several(alice, 3, at=timezone.now())
    client = as_user(bob)
    assert f'value="{found[0].id}"' in client.get(url("review")).content.decode()
    form: dict[str, Any] = {"measure": "refuse:nudity", "case": [case.id for case in found[:2]]}
    page = client.post(url("bulk"), form).content.decode()
    assert "Refuse: 2 cases" in page
    assert "statement of reasons" in page
    assert not PendingDecision.objects.exists()
    client.post(url("bulk-decide"), form)
    assert PendingDecision.objects.count() == 2
    queue = client.get(url("review")).content.decode()
    assert "2 cases at once" in queue
    client.post(url("bulk-undo", PendingDecision.objects.all()[0].batch))
    assert not PendingDecision.objects.exists()


def test_preview_page_takes_all_that_match_the_filter(alice: User, bob: User, as_user: Any) -> None:
    several(alice, 2)
    image_case(alice)
    form = {"measure": "allow:within_policy", "all": "1", "query": "kind=prompt"}
    answer = as_user(bob).post(url("bulk"), form)
    assert len(answer.context["preview"].reached) == 2


def test_preview_page_takes_the_first_of_more_than_may_be_decided_at_once(
    alice: User, bob: User, as_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    found = [prompt_case(alice, at=NOON + timedelta(hours=n)) for n in range(3)]
    client = as_user(bob)
    assert "Preview the first 2 of 3" in client.get(url("review")).content.decode()
    answer = client.post(url("bulk"), {"measure": "allow:within_policy", "all": "1"})
    assert [line.id for line in answer.context["preview"].reached] == [c.id for c in found[:2]]


def test_decide_page_names_what_was_left_alone(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    free, held = several(alice, 2, at=timezone.now())
    claimed(held, carol, at=timezone.now())
    form = {"measure": "refuse:nudity", "case": [free.id, held.id]}
    page = as_user(bob).post(url("bulk-decide"), form).content.decode()
    assert "carol works on it" in page
    assert "case_taken" in page


@pytest.mark.parametrize("name", ["bulk", "bulk-decide"])
def test_bulk_pages_are_for_reviewers(alice: User, as_user: Any, name: str) -> None:
    case = prompt_case(alice)
    form = {"measure": "allow:within_policy", "case": [case.id]}
    assert as_user(alice).post(url(name), form).status_code == 403
    assert not PendingDecision.objects.exists()


@pytest.mark.parametrize(
    "form", [{}, {"measure": "suspend:nudity"}, {"measure": "allow:within_policy"}]
)
def test_preview_page_without_choice_says_so(bob: User, as_user: Any, form: Any) -> None:
    answer = as_user(bob).post(url("bulk"), form)
    assert (answer.status_code, "bulk_nothing_chosen" in answer.content.decode()) == (422, True)
