"""Opening, claiming and giving back review cases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from moderation.cases import review_cases
from moderation.models import ReviewCase
from moderation.subjects.subject import Subject
from tests.moderation.makers import NOON, claimed, evidence, prompt_case, severe_case


def test_open_case_returns_the_undecided_one_of_the_same_subject(alice: User) -> None:
    case = prompt_case(alice)
    subject = Subject("prompt", case.subject_id, alice.pk)
    assert review_cases.open_case(subject=subject, evidence=evidence(), at=NOON).id == case.id


def test_open_case_takes_severity_and_due_time_from_the_policy(alice: User) -> None:
    case = severe_case(alice)
    assert (case.category, case.severity) == ("minors", 5)
    assert case.due_at == NOON + timedelta(hours=1)


def test_queue_puts_the_severest_first_and_then_the_one_due_soonest(
    alice: User, carol: User
) -> None:
    late, soon = prompt_case(alice, at=NOON), prompt_case(alice, at=NOON - timedelta(hours=1))
    severe = severe_case(alice)
    assert list(review_cases.queue(by=carol)) == [severe, soon, late]


def test_queue_hides_severe_cases_from_ordinary_reviewers(alice: User, bob: User) -> None:
    case = severe_case(alice)
    assert not review_cases.queue(by=bob).exists()
    with pytest.raises(review_cases.CaseNotFound):
        review_cases.find(case.id, by=bob)


def test_find_shows_no_case_to_people_who_do_not_review(
    alice: User, mallory: User, dora: User
) -> None:
    case = prompt_case(alice)
    for person in (alice, mallory, dora):
        with pytest.raises(review_cases.CaseNotFound):
            review_cases.find(case.id, by=person)


def test_claim_refuses_a_case_that_another_reviewer_holds(
    alice: User, bob: User, carol: User
) -> None:
    case, _ = claimed(prompt_case(alice), bob)
    with pytest.raises(review_cases.CaseTaken):
        review_cases.claim(case, by=carol, at=NOON + timedelta(minutes=9))


def test_claim_takes_over_a_lease_that_ran_out_under_a_new_token(
    alice: User, bob: User, carol: User
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    row = review_cases.claim(case, by=carol, at=NOON + review_cases.LEASE)
    assert row.leased_by == carol
    assert row.lease_token != token


def test_claim_again_keeps_the_token_of_the_own_lease(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    again = review_cases.claim(case, by=bob, at=NOON + timedelta(minutes=5))
    assert again.lease_token == token
    assert again.lease_expires_at == NOON + timedelta(minutes=15)


def test_claim_refuses_a_case_about_oneself(bob: User) -> None:
    with pytest.raises(review_cases.OwnSubject):
        review_cases.claim(prompt_case(bob), by=bob, at=NOON)


def test_claim_next_passes_over_own_and_held_cases(alice: User, bob: User, carol: User) -> None:
    prompt_case(bob, at=NOON - timedelta(hours=2))
    claimed(prompt_case(alice, at=NOON - timedelta(hours=1)), carol)
    free = prompt_case(alice)
    assert review_cases.claim_next(by=bob, at=NOON) == free
    assert review_cases.claim_next(by=bob, at=NOON) is None


def test_renew_prolongs_the_lease_and_refuses_a_foreign_token(
    alice: User, bob: User, carol: User
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    row = review_cases.renew(case, by=bob, token=token, at=NOON + timedelta(minutes=9))
    assert row.lease_expires_at == NOON + timedelta(minutes=19)
    with pytest.raises(review_cases.StaleLease):
        review_cases.renew(case, by=carol, token=token, at=NOON)


def test_renew_refuses_a_lease_that_ran_out(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    with pytest.raises(review_cases.StaleLease):
        review_cases.renew(case, by=bob, token=token, at=NOON + review_cases.LEASE)


def test_release_gives_the_case_back_once(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    assert review_cases.release(case, by=bob, token=token).status == ReviewCase.Status.OPEN
    with pytest.raises(review_cases.StaleLease):
        review_cases.release(case, by=bob, token=token)


def test_database_refuses_a_second_undecided_case_of_one_subject(alice: User) -> None:
    case = prompt_case(alice)
    with (
        pytest.raises(IntegrityError, match="one_undecided_case_per_subject"),
        transaction.atomic(),
    ):
        ReviewCase.objects.create(
            subject_kind="prompt",
            subject_id=case.subject_id,
            evidence={},
            opened_at=NOON,
            due_at=NOON,
        )


@pytest.mark.django_db(transaction=True)
def test_claim_next_gives_two_reviewers_two_cases_at_the_same_moment(
    alice: User, bob: User, carol: User
) -> None:
    for _ in range(6):
        prompt_case(alice)
    barrier = Barrier(2)

    def work(person: User) -> list[ReviewCase | None]:
        try:
            barrier.wait()
            return [review_cases.claim_next(by=person, at=NOON) for _ in range(4)]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        took = [case.id for row in pool.map(work, [bob, carol]) for case in row if case]
    assert len(took) == len(set(took)) == 6


@pytest.mark.django_db(transaction=True)
def test_claim_of_one_case_by_two_reviewers_has_one_winner(
    alice: User, bob: User, carol: User
) -> None:
    case = prompt_case(alice)
    barrier = Barrier(2)

    def work(person: User) -> bool:
        try:
            barrier.wait()
            review_cases.claim(case, by=person, at=NOON)
        except review_cases.CaseTaken:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, [bob, carol])) == [False, True]
