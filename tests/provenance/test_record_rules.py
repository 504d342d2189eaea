"""Evidence is written once: every table has its rule, and the database holds it whoever asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from moderation.account_status import erasing
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.models import Decision, ReviewCase, Suspension
from moderation.subjects.subject import Subject
from provenance.assets import erasure
from provenance.database import privileges, record_rules
from provenance.database.record_rules import RULES
from provenance.log import transparency_log
from provenance.models import Asset, LogEntry
from tests.moderation.makers import NOON, prompt_case, refused_by
from tests.provenance.conftest import Marked

ROLE = "proofsheet_app"
EVIDENCE = record_rules.evidence()
FIRST, OTHER = 0, 1
VALUES = {  # what a column of that type holds first, and something else
    "uuid": ("gen_random_uuid()", "gen_random_uuid()"),
    "boolean": ("false", "true"),
    "jsonb": ("'{}'", "'{\"other\": 1}'"),
    "bytea": ("''", "'\\x01'"),
    "timestamp with time zone": ("'2020-01-01T00:00Z'", "'2020-01-02T00:00Z'"),
    "date": ("'2020-01-01'", "'2020-01-02'"),
    "ARRAY": ("'{}'", "'{7}'"),
    "character varying": ("''", "'7'"),
    "text": ("''", "'7'"),
}
NUMBERS = ("0", "7")


@pytest.fixture(autouse=True)
def _granted(db: None) -> None:
    execute(*privileges.statements(ROLE))


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def asking(role: str) -> Iterator[None]:
    """What the block asks the database, it asks as the application or as the owner, whose session
    may say that it is a replica: that switches ordinary triggers off."""
    before, after = {
        "application": (f"SET ROLE {ROLE}", "RESET ROLE"),
        "owner": ("SELECT 1", "SELECT 1"),
        "replica": (
            "SET session_replication_role = replica",
            "RESET session_replication_role",
        ),
    }[role]
    with transaction.atomic():
        execute(before)
        try:
            with transaction.atomic():
                yield
        finally:
            execute(after)


def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Each column's type, and whether it may be NULL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s",
            [table],
        )
        return {name: (kind, is_null) for name, kind, is_null in cursor.fetchall()}


def put_row(table: str) -> None:
    """A row of empty values, whatever else the table asks of a row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass",
            [table],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    needed = {name: kind for name, (kind, is_null) in columns(table).items() if not is_null}
    values = [VALUES.get(kind, NUMBERS)[FIRST] for kind in needed.values()]
    names = ", ".join(f'"{name}"' for name in needed)
    with asking("replica"):
        execute(
            f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values)})"
        )


# ------------------------------------------------------------------ the table of rules
def test_every_model_has_a_rule() -> None:
    tables = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }
    missing, gone = tables - set(RULES), set(RULES) - tables
    assert not missing, "say in provenance/database/record_rules.py whether these are evidence"
    assert not gone


@pytest.mark.parametrize("table", EVIDENCE)
def test_every_rule_names_columns_that_there_are(table: str) -> None:
    rule, there = RULES[table], columns(table)
    named = {*rule.changes, *rule.once, *rule.forgets, *rule.erases, *rule.shrinks}
    assert named | ({rule.sealed_by} - {""}) <= set(there)
    if rule.erases or rule.is_deleted_with_tombstone:
        assert there["id"][0] == "uuid", "a tombstone names the row by its id"


# ------------------------------------------------------------------ what the database refuses
@pytest.mark.parametrize("role", ["application", "owner", "replica"])
@pytest.mark.parametrize("table", EVIDENCE)
def test_no_row_of_evidence_is_changed_or_deleted(table: str, role: str) -> None:
    rule = RULES[table]
    put_row(table)
    for name, (kind, _) in columns(table).items():
        asked = f'UPDATE {table} SET "{name}" = {VALUES.get(kind, NUMBERS)[OTHER]}'
        if name in rule.changes + rule.once:
            continue
        with pytest.raises(DatabaseError, match="evidence|permission denied"), asking(role):
            execute(asked)
    with pytest.raises(DatabaseError, match="evidence|permission denied"), asking(role):
        execute(f"DELETE FROM {table}")
    execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {privileges.WHOLE}")
    with pytest.raises(DatabaseError, match="evidence|permission denied"), asking(role):
        execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", EVIDENCE)
def test_application_can_not_switch_a_trigger_off(table: str) -> None:
    for asked in (
        f"ALTER TABLE {table} DISABLE TRIGGER {privileges.HELD}",
        f"DROP TRIGGER {privileges.HELD} ON {table}",
    ):
        with pytest.raises(DatabaseError, match="must be owner"), asking("application"):
            execute(asked)


def test_state_that_is_final_is_not_taken_back(alice: Any, bob: Any, carol: Any) -> None:
    with asking("application"):
        appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="But.", at=NOON)
        hearing.hear(appeal, by=carol, outcome="upheld", reasons="No.", at=NOON)
    for column, value in (("status", "'lodged'"), ("reasons", "'Yes.'"), ("heard_at", "NULL")):
        refused = pytest.raises(DatabaseError, match=f"{column} of moderation_appeal")
        with refused, asking("application"):
            execute(f"UPDATE moderation_appeal SET {column} = {value}")


# ------------------------------------------------------------------ what still can be done
@pytest.mark.parametrize("role", ["application", "owner"])
def test_a_person_can_be_forgotten(role: str, alice: Any, bob: Any) -> None:
    decision = refused_by(bob, alice)
    suspension = Suspension.objects.create(
        user=alice, decision=decision, began_at=NOON, ends_at=NOON + timedelta(days=7)
    )
    with asking(role):
        alice.delete()
        bob.delete()
    decision = Decision.objects.get(id=decision.id)
    assert (decision.owner_id, decision.decided_by_id) == (None, None)
    assert decision.statement.owner_id is None
    suspension.refresh_from_db()
    assert (suspension.user_id, suspension.ends_at) == (None, NOON + timedelta(days=7))


@pytest.mark.parametrize("role", ["application", "owner"])
@pytest.mark.parametrize("is_lifted", [False, True])
def test_a_suspension_is_lifted_and_stays(role: str, is_lifted: bool, alice: Any, bob: Any) -> None:
    suspension = Suspension.objects.create(
        user=alice,
        decision=refused_by(bob, alice),
        began_at=NOON,
        ends_at=NOON + timedelta(days=7),
    )
    if is_lifted:
        with asking(role):
            suspension.lift(at=NOON)
    refused = pytest.raises(DatabaseError, match="evidence|permission denied")
    with refused, asking(role):
        suspension.delete()
    with refused, asking(role):
        Suspension.objects.update(user=bob)
    assert Suspension.objects.get().user == alice


def test_a_record_goes_with_its_tombstone_alone(astronaut: Marked) -> None:
    for role in ("application", "owner"):
        with pytest.raises(DatabaseError, match="never deleted"), asking(role):
            Asset.objects.all().delete()
    with asking("application"):
        assert erasure.erase([astronaut.id], at=NOON) == 1
    assert not Asset.objects.exists()


@pytest.mark.parametrize("role", ["application", "owner"])
def test_words_are_erased_on_request_and_the_log_says_so(role: str, alice: Any, bob: Any) -> None:
    decision = refused_by(bob, alice)
    assert decision.evidence["prompt"]
    with pytest.raises(DatabaseError, match="evidence of moderation_decision"), asking(role):
        Decision.objects.filter(id=decision.id).update(evidence={})
    with asking(role):
        assert erasing.erase_words(alice, at=NOON) == 2
    decision = Decision.objects.get(id=decision.id)
    case = ReviewCase.objects.get(decision=decision)
    assert "prompt" not in decision.evidence | case.evidence
    assert (decision.explanation, decision.owner) == ("", alice)
    assert decision.evidence["policy_version"] == decision.policy_version
    erased = LogEntry.objects.filter(kind=record_rules.ERASED).values_list("subject", flat=True)
    assert set(erased) == {decision.id, case.id}
    assert b"alice" not in b"".join(bytes(entry.body) for entry in LogEntry.objects.all())
    assert erasing.erase_words(alice, at=NOON) == 0


def test_operators_erase_words_from_a_shell(alice: Any, bob: Any, capsys: Any) -> None:
    decision = refused_by(bob, alice)
    call_command("erase_words", "alice")
    assert "Erased the words of 2 rows about alice." in capsys.readouterr().out
    assert Decision.objects.get(id=decision.id).explanation == ""
    with pytest.raises(CommandError, match="no account 'nobody'"):
        call_command("erase_words", "nobody")


def test_nobody_hands_the_trigger_a_log_of_their_own(alice: Any, bob: Any) -> None:
    decision = refused_by(bob, alice)
    with asking("application"):
        execute(
            "CREATE TEMP TABLE provenance_logentry (LIKE provenance_logentry)",
            "INSERT INTO pg_temp.provenance_logentry (id, kind, subject, body, at)"
            f" VALUES (1, '{record_rules.ERASED}', '{decision.id}', '', now())",
        )
    refused = pytest.raises(DatabaseError, match="evidence of moderation_decision")
    with refused, asking("application"):
        Decision.objects.filter(id=decision.id).update(evidence={})


def test_a_case_for_a_label_alone_can_be_given_up(alice: Any) -> None:
    waiting = prompt_case(alice)
    sampled = review_cases.open_sampled(
        subject=Subject("prompt", uuid4(), alice.pk),
        evidence=waiting.seen,
        nearest="",
        at=NOON,
    )
    sampled.notes.create(author=alice, text="?", written_at=NOON)
    with asking("application"):
        review_cases.withdraw_sampled("prompt", sampled.subject_id)
    assert not ReviewCase.objects.filter(id=sampled.id).exists()
    with pytest.raises((DatabaseError, ProtectedError)), asking("application"):
        waiting.delete()


def test_house_decides_as_that_role(alice: Any, bob: Any) -> None:
    with asking("application"):
        decision = refused_by(bob, alice)
        transparency_log.sequence(at=NOON)
    assert LogEntry.objects.filter(subject=decision.id).exists()
