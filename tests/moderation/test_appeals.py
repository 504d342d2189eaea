"""Lodging, withdrawing and hearing appeals."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import IntegrityError, transaction

from config.core.transitions import WrongState
from moderation.appeals import hearing
from moderation.models import Appeal, Decision
from moderation.notifications import mails
from moderation.signals import decision_enforced
from moderation.statements import issuing
from provenance.models import LogEntry
from tests.moderation.makers import NOON, refused_by, refused_by_machine


def lodged(decision: Decision, by: User) -> Appeal:
    return hearing.lodge(decision, by=by, grounds="It is a candle.", at=NOON)


def test_lodge_takes_an_appeal_with_a_due_date(alice: User, bob: User) -> None:
    appeal = lodged(refused_by(bob, alice), alice)
    assert (appeal.status, appeal.decider) == ("lodged", bob)
    assert appeal.due_at == NOON + hearing.HEARING


def test_lodge_refuses_after_the_window(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)
    late = NOON + issuing.WINDOW + timedelta(seconds=1)
    with pytest.raises(hearing.WindowClosed):
        hearing.lodge(decision, by=alice, grounds="Late.", at=late)


def test_lodge_takes_an_appeal_at_the_last_moment(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)
    assert hearing.lodge(decision, by=alice, grounds="Now.", at=NOON + issuing.WINDOW)


def test_lodge_refuses_a_second_appeal(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)
    lodged(decision, alice)
    with pytest.raises(hearing.AlreadyAppealed):
        lodged(decision, alice)


def test_lodge_refuses_somebody_elses_decision(alice: User, bob: User, mallory: User) -> None:
    with pytest.raises(hearing.NotAppealable):
        lodged(refused_by(bob, alice), mallory)


@pytest.mark.parametrize("words", ["", "  \n ", "\u200b\u2060 \u202e", "x" * 4001])
def test_lodge_refuses_no_words_and_too_many(alice: User, bob: User, words: str) -> None:
    with pytest.raises(hearing.NoWords):
        hearing.lodge(refused_by(bob, alice), by=alice, grounds=words, at=NOON)


def test_withdraw_ends_the_appeal_for_good(alice: User, bob: User, carol: User) -> None:
    appeal = lodged(refused_by(bob, alice), alice)
    assert hearing.withdraw(appeal, by=alice, at=NOON).status == "withdrawn"
    with pytest.raises(WrongState):
        hearing.hear(appeal, by=carol, outcome="upheld", reasons="Stands.", at=NOON)


def test_withdraw_is_for_the_appellant_alone(alice: User, bob: User, carol: User) -> None:
    appeal = lodged(refused_by(bob, alice), alice)
    with pytest.raises(hearing.NotWithdrawable):
        hearing.withdraw(appeal, by=carol, at=NOON)


def test_hear_reversed_releases_the_subject_through_the_signal(
    alice: User, bob: User, carol: User
) -> None:
    refusal = refused_by(bob, alice)
    appeal = lodged(refusal, alice)
    heard: list[Any] = []

    def listen(*, subject_id: Any, outcome: str, decision: Decision, **_: Any) -> None:
        heard.append((subject_id, outcome, decision.reverses_id))

    decision_enforced.connect(listen)
    try:
        hearing.hear(appeal, by=carol, outcome="reversed", reasons="A candle.", at=NOON)
    finally:
        decision_enforced.disconnect(listen)
    assert heard == [(refusal.subject_id, "allow", refusal.id)]
    assert Decision.objects.get(reverses=refusal).decided_by == carol


def test_hear_upheld_leaves_the_refusal_in_force(alice: User, bob: User, carol: User) -> None:
    refusal = refused_by(bob, alice)
    appeal = hearing.hear(
        lodged(refusal, alice), by=carol, outcome="upheld", reasons="Nudity.", at=NOON
    )
    assert appeal.status == "upheld"
    assert not Decision.objects.filter(reverses=refusal).exists()
    assert LogEntry.objects.filter(kind="moderation.appeal", subject=appeal.id).exists()


def test_hear_refuses_whoever_decided(alice: User, carol: User) -> None:
    appeal = lodged(refused_by(carol, alice), alice)
    with pytest.raises(hearing.SameDecider):
        hearing.hear(appeal, by=carol, outcome="upheld", reasons="Mine.", at=NOON)


def test_hear_refuses_the_appellant(carol: User, bob: User) -> None:
    appeal = lodged(refused_by(bob, carol), carol)
    with pytest.raises(hearing.SameDecider):
        hearing.hear(appeal, by=carol, outcome="reversed", reasons="Mine.", at=NOON)


def test_hear_refuses_reviewers_without_the_role(alice: User, bob: User) -> None:
    appeal = lodged(refused_by_machine(alice), alice)
    with pytest.raises(hearing.NotASenior):
        hearing.hear(appeal, by=bob, outcome="upheld", reasons="No role.", at=NOON)


def test_hear_concludes_once(alice: User, bob: User, carol: User) -> None:
    appeal = lodged(refused_by(bob, alice), alice)
    hearing.hear(appeal, by=carol, outcome="upheld", reasons="Stands.", at=NOON)
    with pytest.raises(WrongState):
        hearing.hear(appeal, by=carol, outcome="reversed", reasons="Or not.", at=NOON)


@pytest.mark.parametrize("who", ["decider", "appellant"])
def test_database_refuses_a_hearer_who_decided_or_appeals(alice: User, bob: User, who: str) -> None:
    appeal = lodged(refused_by(bob, alice), alice)
    person = bob if who == "decider" else alice
    with pytest.raises(IntegrityError, match=f"hearer_is_not_{who}"), transaction.atomic():
        Appeal.objects.filter(id=appeal.id).update(hearer=person)


def test_waiting_for_leaves_out_what_the_person_may_not_hear(
    alice: User, bob: User, carol: User
) -> None:
    fair = lodged(refused_by(bob, alice), alice)
    lodged(refused_by(carol, alice), alice)
    assert list(hearing.waiting_for(carol)) == [fair]
    assert not hearing.waiting_for(bob).exists()


def test_mail_of_the_outcome_links_to_the_appeal(alice: User, bob: User, carol: User) -> None:
    appeal = lodged(refused_by(bob, alice), alice)
    hearing.hear(appeal, by=carol, outcome="upheld", reasons="Stands.", at=NOON)
    mails.mail_appeal(appeal.id)
    [sent] = mail.outbox
    assert "decision upheld" in sent.body
    assert appeal.get_absolute_url() in sent.body
