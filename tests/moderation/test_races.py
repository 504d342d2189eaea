"""Two people at the same moment, each on a connection of their own: one wins, nothing is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from config.core.errors import ProofsheetError
from moderation.appeals import hearing
from moderation.decisions import enforcing, pending_decisions
from moderation.desk import bulk
from moderation.desk.teamwork import case_notes
from moderation.models import Appeal, Decision, PendingDecision, Policy, ReviewCase
from moderation.policy import drafting
from moderation.policy.rulebook import policy_document
from tests.moderation.makers import NOON, claimed, prompt_case, refused_by, severe_case

pytestmark = pytest.mark.django_db(transaction=True)
LATE = NOON + timedelta(seconds=30)


@pytest.fixture
def erin(carol: User) -> User:
    person = User.objects.create_user("erin")
    person.groups.set(carol.groups.all())
    return person


def at_once(*works: Callable[[], Any]) -> list[str]:
    """What became of each: "done", or the code of its refusal; sorted. Anything else crashes."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> str:
        try:
            barrier.wait()
            work()
        except ProofsheetError as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(run, works))


def test_appeal_heard_by_two_is_concluded_once(
    alice: User, bob: User, carol: User, erin: User
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="Hm.", at=NOON)

    def hear(by: User) -> Appeal:
        return hearing.hear(appeal, by=by, outcome="reversed", reasons="A candle.", at=NOON)

    assert at_once(lambda: hear(carol), lambda: hear(erin)) == ["appeal_wrong_state", "done"]
    assert Decision.objects.filter(reverses=appeal.decision).count() == 1


def test_appeal_lodged_in_two_windows_is_one(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)

    def lodge() -> Appeal:
        return hearing.lodge(decision, by=alice, grounds="Hm.", at=NOON)

    assert at_once(lodge, lodge) == ["already_appealed", "done"]


def test_case_decided_in_two_windows_has_one_decision(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)

    def refuse() -> PendingDecision:
        return pending_decisions.propose(
            case, by=bob, action="refuse", reason="nudity", token=token, at=NOON
        )

    assert at_once(refuse, refuse) == ["case_decided", "done"]
    assert PendingDecision.objects.count() == 1


def test_case_decided_alone_and_with_others_at_once_has_one_decision(
    alice: User, bob: User
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    at_once(
        lambda: pending_decisions.propose(
            case, by=bob, action="allow", reason="within_policy", token=token, at=NOON
        ),
        lambda: bulk.decide([case.id], by=bob, action="refuse", reason="nudity", at=NOON),
    )
    assert PendingDecision.objects.count() == 1


def test_decision_settled_twice_at_once_has_effect_once(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    pending_decisions.propose(case, by=bob, action="refuse", reason="nudity", token=token, at=NOON)
    assert at_once(*[lambda: pending_decisions.settle(at=LATE)] * 2) == ["done", "done"]
    assert Decision.objects.count() == 1


def test_severe_decision_confirmed_and_overturned_at_once_is_one_of_them(
    alice: User, carol: User, erin: User
) -> None:
    case, token = claimed(severe_case(alice), carol)
    pending_decisions.propose(
        case, by=carol, action="refuse", reason="minors", token=token, at=NOON
    )
    became = at_once(
        lambda: pending_decisions.confirm(case, by=erin, at=LATE),
        lambda: pending_decisions.overturn(case, by=erin),
    )
    assert became == ["done", "nothing_to_confirm"]
    row = ReviewCase.objects.get(id=case.id)
    assert (row.status, Decision.objects.count()) in {("decided", 1), ("open", 0)}


def test_case_assigned_by_two_at_once_is_one_persons(alice: User, bob: User, carol: User) -> None:
    case = prompt_case(alice)
    became = at_once(
        lambda: case_notes.assign(case, to="bob", by=carol),
        lambda: case_notes.assign(case, to="carol", by=bob),
    )
    assert became == ["done", "done"]
    assert ReviewCase.objects.get(id=case.id).assigned_to in {bob, carol}


def test_policies_drafted_at_once_get_names_of_their_own(carol: User, erin: User) -> None:
    def draft(by: User, hold: float) -> Policy:
        thresholds = {"prompt": {"hold": hold, "refuse": 0.9}}
        return drafting.propose_draft(
            based_on=policy_document.ACTIVE["general"],
            changes={"categories": {"nudity": {"thresholds": thresholds}}},
            rationale="Too much passes.",
            by=by,
            at=NOON,
        )

    assert at_once(lambda: draft(carol, 0.3), lambda: draft(erin, 0.35)) == ["done", "done"]
    made = Policy.objects.filter(is_shipped=False).values_list("version", flat=True)
    assert set(made) == {"2026-11-general-2", "2026-11-general-3"}


def test_lease_that_ran_out_is_decided_by_one_of_two(alice: User, bob: User, carol: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    later = NOON + timedelta(minutes=11)
    taken, fresh = claimed(case, carol, at=later)
    became = at_once(
        lambda: enforcing.decide(
            case, by=bob, action="refuse", reason="nudity", token=token, at=later
        ),
        lambda: enforcing.decide(
            taken, by=carol, action="allow", reason="within_policy", token=fresh, at=later
        ),
    )
    assert became in (["done", "lease_stale"], ["case_decided", "done"])
    assert Decision.objects.get().decided_by == carol
