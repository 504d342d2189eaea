"""Deciding cases, refusing automatically, statements; and that decisions never change."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from config.core.outbox import tasks
from config.core.outbox.models import OutboxRow
from config.core.transitions import NeverChanged
from moderation.cases import review_cases
from moderation.decisions import allowed_actions, enforcing
from moderation.models import Decision, ReviewCase, Statement
from moderation.notifications import mails
from moderation.screening.classify import PromptVerdict
from moderation.signals import decision_enforced
from moderation.statements import issuing
from moderation.statements.formats import eu_statement
from moderation.subjects.subject import Subject
from provenance.log.formats import canonical_json
from provenance.models import LogEntry
from tests.moderation.makers import (
    NOON,
    VERSION,
    claimed,
    evidence,
    prompt_case,
    refused_by,
    refused_by_machine,
    severe_case,
)


@pytest.fixture
def news() -> Any:
    """What the signal told, as (kind, id, outcome)."""
    heard: list[tuple[Any, ...]] = []

    def listen(*, subject_kind: str, subject_id: Any, outcome: str, **_: Any) -> None:
        heard.append((subject_kind, subject_id, outcome))

    decision_enforced.connect(listen)
    yield heard
    decision_enforced.disconnect(listen)


def test_decide_refuse_closes_the_case_and_writes_a_statement(
    alice: User, bob: User, news: Any
) -> None:
    decision = refused_by(bob, alice)
    assert decision.case is not None
    assert ReviewCase.objects.get(id=decision.case.id).status == "decided"
    assert decision.statement.fields["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"
    assert news == [("prompt", decision.subject_id, "refuse")]


def test_decide_allow_tells_the_subject_and_writes_no_statement(
    alice: User, bob: User, news: Any
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    enforcing.decide(case, by=bob, action="allow", reason="within_policy", token=token, at=NOON)
    assert news == [("prompt", case.subject_id, "allow")]
    assert not Statement.objects.exists()


def test_decide_appends_a_digest_and_no_words_to_the_log(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)
    [entry] = LogEntry.objects.filter(subject=decision.id)
    said = {
        "subject": ["prompt", str(decision.subject_id)],
        "action": "refuse",
        "reason": "nudity",
        "explanation": "",
        "policy_version": VERSION,
        "categories": {"nudity": 0.6, "sexual": 0.1},
        "reverses": None,
        "decided_at": NOON.isoformat(),
        "salt": bytes(decision.salt).hex(),
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    assert canonical_json.decode(bytes(entry.body))["body"] == {
        "outcome": "refuse",
        "digest": digest,
    }
    assert b"flame" not in bytes(entry.body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject_kind", "image"),
        ("subject_id", UUID(int=1)),
        ("action", "warn"),
        ("reason", "minors"),
        ("explanation", "Something else."),
        ("policy_version", "general-0"),
        ("categories", {"nudity": 0.7}),
        ("reverses_id", UUID(int=2)),
        ("decided_at", NOON + timedelta(microseconds=1)),
        ("days", 7),
        ("follows_id", UUID(int=3)),
        ("salt", b"another"),
        ("overlay", "another"),
    ],
)
def test_digest_in_the_log_tells_a_decision_that_was_changed(
    alice: User, bob: User, field: str, value: Any
) -> None:
    decision = refused_by(bob, alice)
    told = enforcing.digest(decision)
    setattr(decision, field, value)
    assert enforcing.digest(decision) != told


def test_digest_in_the_log_cannot_be_guessed_from_what_the_decision_says(
    alice: User, bob: User
) -> None:
    decision = refused_by(bob, alice)
    told = enforcing.digest(decision)
    assert enforcing.digest(Decision.objects.get(id=decision.id)) == told
    decision.salt = b""
    assert enforcing.digest(decision) != told


def test_decide_refuses_a_stale_token(alice: User, bob: User) -> None:
    case, _ = claimed(prompt_case(alice), bob)
    with pytest.raises(review_cases.StaleLease):
        enforcing.decide(
            case, by=bob, action="allow", reason="within_policy", token=uuid4(), at=NOON
        )


def test_decide_refuses_a_lease_that_ran_out(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    with pytest.raises(review_cases.StaleLease):
        enforcing.decide(
            case,
            by=bob,
            action="allow",
            reason="within_policy",
            token=token,
            at=NOON + review_cases.LEASE,
        )


def test_decide_refuses_somebody_elses_lease(alice: User, bob: User, carol: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    with pytest.raises(review_cases.StaleLease):
        enforcing.decide(
            case, by=carol, action="allow", reason="within_policy", token=token, at=NOON
        )


def test_decide_refuses_a_case_that_is_decided(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    enforcing.decide(case, by=bob, action="allow", reason="within_policy", token=token, at=NOON)
    with pytest.raises(review_cases.CaseDecided):
        enforcing.decide(case, by=bob, action="allow", reason="within_policy", token=token, at=NOON)


def test_decide_refuses_an_own_case_however_its_lease_came_about(carol: User) -> None:
    case = prompt_case(carol)
    case.lease(by_id=carol.pk, until=NOON + review_cases.LEASE, token=(token := uuid4()))
    with pytest.raises(review_cases.OwnSubject):
        enforcing.decide(
            case, by=carol, action="allow", reason="within_policy", token=token, at=NOON
        )
    assert not Decision.objects.exists()


@pytest.mark.parametrize("is_somebody", [True, False])
def test_severe_decision_is_not_confirmed_by_who_made_it(
    alice: User, carol: User, is_somebody: bool
) -> None:
    case, _ = claimed(severe_case(alice), carol)
    with pytest.raises(enforcing.NeedsSecondPerson):
        enforcing.enforce(
            case,
            by=carol,
            action="refuse",
            reason="minors",
            explanation="",
            confirmed_by=carol if is_somebody else None,
            at=NOON,
        )
    assert ReviewCase.objects.get(id=case.id).status == "leased"


@pytest.mark.parametrize(
    ("action", "reason"), [("refuse", "within_policy"), ("allow", "nudity"), ("refuse", "")]
)
def test_decide_refuses_a_reason_of_another_action(
    alice: User, bob: User, action: Any, reason: str
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    with pytest.raises(allowed_actions.ReasonUnknown):
        enforcing.decide(case, by=bob, action=action, reason=reason, token=token, at=NOON)


def test_decide_is_undone_when_the_subjects_room_fails(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)

    def fail(**_: Any) -> None:
        raise RuntimeError("the subject's room failed")

    decision_enforced.connect(fail)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            enforcing.decide(
                case, by=bob, action="allow", reason="within_policy", token=token, at=NOON
            )
    finally:
        decision_enforced.disconnect(fail)
    assert not Decision.objects.exists()
    assert ReviewCase.objects.get(id=case.id).status == "leased"


def test_refuse_automatically_names_the_worst_category(alice: User) -> None:
    decision = refused_by_machine(alice)
    assert (decision.reason, decision.is_automated, decision.decided_by) == ("nudity", True, None)
    assert decision.statement.fields["automated_decision"] == "AUTOMATED_DECISION_FULLY"


def test_refuse_automatically_rejects_a_verdict_that_refuses_nothing(alice: User) -> None:
    verdict = PromptVerdict("hold", {"nudity": 0.6}, (), VERSION, "prompt_held", uuid4())
    with pytest.raises(ValueError, match="does not refuse"):
        enforcing.refuse_automatically(
            subject=Subject("prompt", uuid4(), alice.pk),
            verdict=verdict,
            evidence=evidence(),
            at=NOON,
        )


def test_decision_cannot_be_saved_or_deleted_again(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)
    decision.explanation = "Something else."
    with pytest.raises(NeverChanged):
        decision.save()
    with pytest.raises(NeverChanged):
        decision.delete()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moderation_decision SET explanation = 'Something else.'",
        "UPDATE moderation_decision SET action = 'allow'",
        "DELETE FROM moderation_decision",
    ],
)
def test_database_refuses_to_change_a_decision_by_any_client(
    alice: User, bob: User, statement: str
) -> None:
    refused_by(bob, alice)
    with (
        pytest.raises(DatabaseError, match=r"never changed|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_decision_outlives_its_people(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)
    bob.delete()
    alice.delete()
    row = Decision.objects.get(id=decision.id)
    assert (row.owner, row.decided_by) == (None, None)


def test_statement_is_complete_and_free_of_personal_data(alice: User, bob: User) -> None:
    fields = refused_by(bob, alice).statement.fields
    eu_statement.validate(fields)
    assert fields["category"] == "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
    assert "alice" not in str(fields)
    assert "flame" not in str(fields)


def test_statement_quotes_the_matched_words_of_an_ordinary_rule(alice: User) -> None:
    assert issuing.quoted(refused_by_machine(alice)) == [(2, 7, "nudity.bare")]


def test_statement_quotes_nothing_of_a_severe_rule(alice: User, bob: User, carol: User) -> None:
    case, _ = claimed(severe_case(alice), carol)
    decision = enforcing.enforce(
        case,
        by=bob,
        action="refuse",
        reason="minors",
        explanation="",
        confirmed_by=carol,
        at=NOON,
    )
    assert issuing.quoted(decision) == []


def test_statement_is_found_by_its_owner_alone(alice: User, bob: User, mallory: User) -> None:
    statement = refused_by(bob, alice).statement
    assert issuing.find(statement.id, by=alice) == statement
    for person in (bob, mallory):
        with pytest.raises(issuing.StatementNotFound):
            issuing.find(statement.id, by=person)


def test_notice_says_how_programs_took_part(alice: User, bob: User) -> None:
    by_machine = issuing.notice(refused_by_machine(alice).statement, at=NOON)
    by_person = issuing.notice(refused_by(bob, alice).statement, at=NOON)
    assert by_machine.means.endswith("refused it without a person.")
    assert by_person.means.endswith("a person decided.")
    assert by_machine.deadline == NOON + issuing.WINDOW


def test_owner_is_written_to_once_the_decision_is_committed(
    alice: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    told: list[int] = []
    monkeypatch.setattr(tasks.drain, "apply_async", lambda *_, **__: told.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        decision = refused_by(bob, alice)
        assert not told
    assert told
    row = OutboxRow.objects.get()
    assert (row.task, row.arguments) == ("moderation.tasks.mail_decision", [str(decision.id)])


def test_reverse_refuses_only_under_a_category_of_the_policy(
    alice: User, bob: User, carol: User
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    allowed = enforcing.decide(
        case, by=bob, action="allow", reason="within_policy", token=token, at=NOON
    )
    for category in ("", "kittens", "within_policy"):
        with pytest.raises(allowed_actions.ReasonUnknown):
            enforcing.reverse(allowed, by=carol, explanation="It is.", category=category, at=NOON)
    made = enforcing.reverse(allowed, by=carol, explanation="It is.", category="hate", at=NOON)
    assert (made.action, made.reason, made.is_automated) == ("refuse", "hate", False)


def test_mail_of_a_refusal_links_to_the_statement_and_quotes_nothing(
    alice: User, bob: User
) -> None:
    decision = refused_by(bob, alice)
    mails.mail_decision(decision.id)
    [sent] = mail.outbox
    assert sent.to == [alice.email]
    assert decision.statement.get_absolute_url() in sent.body
    assert "flame" not in sent.body


def test_mail_of_a_permission_says_that_it_goes_on(alice: User, bob: User) -> None:
    case, token = claimed(prompt_case(alice), bob)
    decision = enforcing.decide(
        case, by=bob, action="allow", reason="within_policy", token=token, at=NOON
    )
    mails.mail_decision(decision.id)
    assert "is allowed" in mail.outbox[0].body


def test_mail_is_silent_without_an_address(alice: User, bob: User) -> None:
    alice.email = ""
    alice.save()
    mails.mail_decision(refused_by(bob, alice, at=NOON + timedelta(hours=1)).id)
    assert not mail.outbox
