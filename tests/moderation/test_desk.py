"""Reviewers among themselves: notes, assignment, who looks at a case now, views of the queue."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from config.core.transitions import NeverChanged
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.desk import saved_views
from moderation.desk.teamwork import case_notes, viewers
from moderation.models import CaseNote, ReviewCase, SavedView
from moderation.subjects.subject import Subject
from tests.moderation.makers import (
    NOON,
    claimed,
    evidence,
    image_case,
    prompt_case,
    refused_by,
    severe_case,
)


def url(name: str, *args: Any) -> str:
    return reverse(f"moderation:{name}", args=args)


def body(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


# ------------------------------------------------------------------ notes
def test_note_is_read_by_the_next_reviewer_and_escaped(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    as_user(bob).post(url("note", case.id), {"text": "Seen <b>twice</b> this week."})
    page = body(as_user(carol).get(url("case", case.id)))
    assert "Seen &lt;b&gt;twice&lt;/b&gt; this week." in page
    assert "bob" in page


def test_note_needs_words(alice: User, bob: User, as_user: Any) -> None:
    case = prompt_case(alice)
    answer = as_user(bob).post(url("note", case.id), {"text": " "})
    assert (answer.status_code, "note_missing" in body(answer)) == (422, True)


def test_what_no_database_keeps_is_refused_and_never_a_crash(
    alice: User, bob: User, as_user: Any
) -> None:
    case, client = prompt_case(alice), as_user(bob)
    answer = client.post(url("note", case.id), {"text": "a\0b"})
    assert (answer.status_code, "note_missing" in body(answer)) == (422, True)
    answer = client.post(url("assign", case.id), {"to": "bo\0b"})
    assert (answer.status_code, "not_assignable" in body(answer)) == (422, True)
    assert client.post(url("view-save"), {"name": "My\0\nview"}).status_code == 302
    assert SavedView.objects.get().name == "My view"
    assert client.get(url("review"), {"category": "a\0b", "page": "\0"}).status_code == 400


def test_note_never_changes(alice: User, bob: User) -> None:
    note = case_notes.write(prompt_case(alice), "Words.", by=bob, at=NOON)
    note.text = "Others."
    with pytest.raises(NeverChanged):
        note.save()


def test_notes_are_absent_for_people_who_do_not_review(
    alice: User, bob: User, as_user: Any
) -> None:
    case = severe_case(alice)
    assert as_user(alice).post(url("note", case.id), {"text": "Hm."}).status_code == 403
    assert as_user(bob).post(url("note", case.id), {"text": "Hm."}).status_code == 404
    assert not CaseNote.objects.exists()


def test_notes_are_kept_from_whoever_answers_blind(alice: User, bob: User, as_user: Any) -> None:
    subject = Subject("prompt", uuid4(), alice.pk)
    case = review_cases.open_case(subject=subject, evidence=evidence(), at=NOON, is_blind=True)
    case_notes.write(case, "It was held for nudity.", by=bob, at=NOON)
    assert "held for nudity" not in body(as_user(bob).get(url("case", case.id)))


def test_note_on_a_blind_case_is_answered_without_those_of_others(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    subject = Subject("prompt", uuid4(), alice.pk)
    case = review_cases.open_case(subject=subject, evidence=evidence(), at=NOON, is_blind=True)
    case_notes.write(case, "It was held for nudity.", by=carol, at=NOON)
    answer = as_user(bob).post(
        url("note", case.id), {"text": "Looks drawn."}, headers={"HX-Request": "true"}
    )
    assert "held for nudity" not in body(answer)


def test_reviewer_reads_and_writes_no_notes_on_an_own_case(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case = prompt_case(bob)
    case_notes.write(case, "He did this last week too.", by=carol, at=NOON)
    client = as_user(bob)
    page = body(client.get(url("case", case.id)))
    assert "something of your own" in page
    assert ("last week" in page, "Whose case" in page) == (False, False)
    answer = client.post(url("note", case.id), {"text": "It is fine."})
    assert (answer.status_code, "own_subject" in body(answer)) == (403, True)
    answer = client.post(url("assign", case.id), {"to": "carol"})
    assert (answer.status_code, "own_subject" in body(answer)) == (403, True)


# ------------------------------------------------------------------ assignment
def test_assigned_case_is_given_to_nobody_else(alice: User, bob: User, carol: User) -> None:
    case = prompt_case(alice)
    case_notes.assign(case, to="carol", by=carol)
    assert review_cases.claim_next(by=bob, at=NOON) is None
    assert review_cases.claim_next(by=carol, at=NOON) == case


def test_assigned_case_can_still_be_claimed_by_a_colleague(
    alice: User, bob: User, carol: User
) -> None:
    case = prompt_case(alice)
    case_notes.assign(case, to="carol", by=carol)
    assert review_cases.claim(case, by=bob, at=NOON).leased_by == bob


def test_filters_show_mine_and_nobodys(alice: User, bob: User, carol: User, as_user: Any) -> None:
    mine, hers, free = (prompt_case(alice, prompt=f"a {n} horse") for n in ("red", "blue", "grey"))
    client = as_user(bob)
    client.post(url("assign", mine.id), {"to": "bob"})
    client.post(url("assign", hers.id), {"to": "carol"})
    shown = body(client.get(url("review"), {"whose": "mine"}))
    assert ("red horse" in shown, "blue horse" in shown, "grey horse" in shown) == (
        True,
        False,
        False,
    )
    shown = body(client.get(url("review"), {"whose": "unassigned"}))
    assert ("red horse" in shown, "grey horse" in shown) == (False, True)
    assert "1 match" in shown
    client.post(url("assign", mine.id), {"to": ""})
    assert ReviewCase.objects.get(id=mine.id).assigned_to is None
    assert free.assigned_to is None


def test_assign_refuses_people_who_may_not_decide_it(
    alice: User, bob: User, carol: User, mallory: User, as_user: Any
) -> None:
    case, severe = prompt_case(alice), severe_case(alice)
    for name in ("mallory", "alice", "nobody"):
        with pytest.raises(case_notes.NotAssignable):
            case_notes.assign(case, to=name, by=carol)
    with pytest.raises(case_notes.NotAssignable):
        case_notes.assign(severe, to="bob", by=carol)
    assert as_user(mallory).post(url("assign", case.id), {"to": "bob"}).status_code == 403


def test_assigned_case_is_given_to_anybody_once_it_is_overdue(
    alice: User, bob: User, carol: User
) -> None:
    case = prompt_case(alice)
    case_notes.assign(case, to="carol", by=carol)
    assert review_cases.claim_next(by=bob, at=case.due_at) == case


def test_case_that_becomes_severe_is_no_longer_that_of_who_may_not_see_it(
    alice: User, bob: User, carol: User
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    case_notes.assign(case, to="bob", by=carol)
    review_cases.escalate(case, by=bob, token=token, at=NOON)
    assert review_cases.claim_next(by=carol, at=NOON) == case


def test_assign_refuses_whoever_owns_or_no_longer_sees_it(
    alice: User, bob: User, carol: User
) -> None:
    with pytest.raises(review_cases.OwnSubject):
        case_notes.assign(prompt_case(bob), to="carol", by=bob)
    with pytest.raises(review_cases.CaseNotFound):
        case_notes.assign(severe_case(alice), to="carol", by=bob)


# ------------------------------------------------------------------ who looks
def test_open_page_is_seen_by_colleagues_and_not_by_oneself(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    cache.clear()
    case = prompt_case(alice)
    first = body(as_user(bob).get(url("case", case.id)))
    assert "looking at this case now" not in first
    assert "bob</span> is looking at this case now" in body(
        as_user(carol).get(url("case", case.id))
    )
    beat = body(as_user(bob).get(url("viewers", case.id)))
    assert "carol</span> is looking at this case now" in beat
    cache.clear()
    assert "looking at this case now" not in body(as_user(bob).get(url("viewers", case.id)))


def test_viewers_are_not_told_to_people_who_may_not_see_the_case(
    alice: User, bob: User, mallory: User, as_user: Any
) -> None:
    case = severe_case(alice)
    assert as_user(bob).get(url("viewers", case.id)).status_code == 404
    assert as_user(mallory).get(url("viewers", case.id)).status_code == 403
    assert viewers.others(case.id, among=[bob.pk, mallory.pk], by=alice) == []


# ------------------------------------------------------------------ views
def test_view_that_is_kept_brings_the_filter_back_for_its_owner_alone(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    prompt_case(alice, prompt="a red horse")
    image_case(alice)
    client = as_user(bob)
    answer = client.post(url("view-save"), {"name": "Only prompts", "query": "kind=prompt"})
    assert answer["Location"].endswith("?kind=prompt")
    page = body(client.get(url("review")))
    assert 'href="/review/?kind=prompt">Only prompts</a>' in page
    assert "Only prompts" not in body(as_user(carol).get(url("review")))
    row = SavedView.objects.get()
    assert as_user(carol).post(url("view-forget", row.pk)).status_code == 404
    client.post(url("view-forget", row.pk))
    assert not SavedView.objects.exists()


def test_view_of_the_same_name_replaces_the_earlier_one(bob: User) -> None:
    saved_views.save("Mornings", {"kind": "prompt"}, by=bob, at=NOON)
    saved_views.save("Mornings", {"kind": "image"}, by=bob, at=NOON)
    assert SavedView.objects.get().wanted == {"kind": "image"}


@pytest.mark.parametrize("name", ["", " ", "n" * 61])
def test_view_needs_a_name(bob: User, name: str) -> None:
    with pytest.raises(saved_views.ViewInvalid):
        saved_views.save(name, {}, by=bob, at=NOON)


def test_views_that_ship_are_those_of_the_role(bob: User, carol: User) -> None:
    assert [view.name for view in saved_views.of(bob)] == ["Severe", "Mine"]
    assert [view.name for view in saved_views.of(carol)] == ["Appeals due today", "Severe", "Mine"]


def test_view_of_appeals_due_today_leaves_later_ones_out(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    now = timezone.now()
    soon, later = (refused_by(bob, alice, at=now - timedelta(days=d)) for d in (14, 1))
    hearing.lodge(soon, by=alice, grounds="Soon.", at=now - timedelta(days=14))
    hearing.lodge(later, by=alice, grounds="Later.", at=now - timedelta(days=1))
    page = body(as_user(carol).get(url("appeals"), {"due": "today"}))
    assert ("Soon." in page, "Later." in page) == (True, False)


def test_severe_and_due_views_narrow_the_queue(alice: User, carol: User, as_user: Any) -> None:
    prompt_case(alice, prompt="a red horse", at=timezone.now())
    severe_case(alice, at=timezone.now() - timedelta(hours=3))
    page = body(as_user(carol).get(url("review"), {"is_severe": "on"}))
    assert ("red horse" in page, "1 match" in page) == (False, True)
    page = body(as_user(carol).get(url("review"), {"due": "overdue"}))
    assert "red horse" not in page


def test_pages_of_the_desk_ask_the_database_few_times(
    alice: User, bob: User, as_user: Any, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        case = prompt_case(alice)
        case_notes.write(case, f"Note {n}", by=bob, at=NOON)
        case_notes.assign(case, to="bob", by=bob)
    claimed(case, bob, at=timezone.now())
    client = as_user(bob)
    with django_assert_max_num_queries(13):
        client.get(url("review"), {"whose": "mine"})
    with django_assert_max_num_queries(20):
        client.get(url("case", case.id))
