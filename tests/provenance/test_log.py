"""Entries through the outbox into the tree: nothing lost, nothing doubled, nothing changed."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from provenance.log import recomputation, transparency_log
from provenance.log.formats import canonical_json, merkle
from provenance.models import Checkpoint, Leaf, LogEntry, PendingEntry

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TABLES = ("logentry", "leaf", "node", "checkpoint")


def append(count: int) -> list[LogEntry]:
    return [
        transparency_log.append(kind="test.made", subject=uuid4(), body={"number": number}, at=NOW)
        for number in range(count)
    ]


@pytest.mark.django_db
def test_append_waits_for_the_sequencer() -> None:
    (entry,) = append(1)
    assert PendingEntry.objects.get().entry == entry
    assert not Leaf.objects.exists()


@pytest.mark.django_db
def test_append_goes_with_the_transaction_of_the_business() -> None:
    with transaction.atomic():
        append(2)
        transaction.set_rollback(True)
    assert not LogEntry.objects.exists()
    assert not PendingEntry.objects.exists()


@pytest.mark.django_db
def test_sequence_gives_gap_free_places_and_one_checkpoint() -> None:
    entries = append(7)
    assert transparency_log.sequence(at=NOW) == 7
    placed = Leaf.objects.order_by("index").values_list("index", "entry_id")
    assert list(placed) == list(enumerate(entry.pk for entry in entries))
    assert transparency_log.latest_checkpoint().tree_size == 7
    assert not PendingEntry.objects.exists()
    assert transparency_log.sequence(at=NOW) == 0


@pytest.mark.django_db
def test_sequence_goes_on_until_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transparency_log, "BATCH", 3)
    append(7)
    assert transparency_log.sequence(at=NOW) == 7
    assert not PendingEntry.objects.exists()
    assert transparency_log.latest_checkpoint().tree_size == 7


@pytest.mark.django_db
def test_sequence_leaves_everything_to_a_sequencer_that_is_at_work() -> None:
    append(2)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [transparency_log._LOCK])
        assert transparency_log.sequence(at=NOW) == 0
        assert (PendingEntry.objects.count(), Checkpoint.objects.count()) == (2, 0)
    finally:
        with other.cursor() as cursor:  # closing would only give the connection back to its pool
            cursor.execute("SELECT pg_advisory_unlock_all()")
        other.close()
    assert transparency_log.sequence(at=NOW) == 2


@pytest.mark.django_db
def test_entry_says_its_time_in_universal_time() -> None:
    at = datetime(2026, 11, 24, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    entry = transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=at)
    assert canonical_json.decode(bytes(entry.body))["at"] == "2026-11-24T12:30:00.000000Z"


@pytest.mark.django_db
def test_entry_younger_than_a_checkpoint_is_not_proved_by_it() -> None:
    append(3)
    transparency_log.sequence(at=NOW)
    old = transparency_log.latest_checkpoint()
    append(2)
    transparency_log.sequence(at=NOW)
    assert (
        transparency_log.verify_proof(transparency_log.prove_inclusion(2, head=old)).tree_size == 3
    )
    for index in (3, 4):
        with pytest.raises(transparency_log.NotInLog):
            transparency_log.prove_inclusion(index, head=old)


@pytest.mark.django_db
def test_every_entry_can_be_proved_against_every_later_tree() -> None:
    for count in (1, 2, 5):
        append(count)
        transparency_log.sequence(at=NOW)
    size = transparency_log.latest_checkpoint().tree_size
    assert size == 8
    for index in range(size):
        assert (
            transparency_log.verify_proof(transparency_log.prove_inclusion(index)).tree_size == size
        )


@pytest.mark.django_db
def test_earlier_checkpoint_is_proved_a_prefix() -> None:
    append(3)
    transparency_log.sequence(at=NOW)
    old = transparency_log.latest_checkpoint()
    append(6)
    transparency_log.sequence(at=NOW)
    new = transparency_log.latest_checkpoint()
    proof = transparency_log.prove_consistency(old.tree_size, new.tree_size)
    merkle.verify_consistency(3, 9, bytes(old.root_hash), bytes(new.root_hash), proof)


@pytest.mark.django_db
def test_proof_of_another_leaf_is_refused() -> None:
    append(4)
    transparency_log.sequence(at=NOW)
    first, second = transparency_log.prove_inclusion(0), transparency_log.prove_inclusion(1)
    with pytest.raises(merkle.InclusionProofInvalid):
        transparency_log.verify_proof(
            transparency_log.InclusionProof(0, 4, second.body, first.path, first.note)
        )


@pytest.mark.django_db
def test_prove_refuses_an_index_beyond_the_tree() -> None:
    transparency_log.sequence(at=NOW)
    with pytest.raises(transparency_log.NotInLog):
        transparency_log.prove_inclusion(0)


@pytest.mark.django_db
def test_log_that_was_never_sequenced_says_so() -> None:
    with pytest.raises(transparency_log.NotInLog, match="no checkpoint yet"):
        transparency_log.latest_checkpoint()


@pytest.mark.django_db
def test_consistency_with_a_tree_to_come_is_refused_by_its_size() -> None:
    append(3)
    transparency_log.sequence(at=NOW)
    with pytest.raises(transparency_log.NotInLog, match="no tree of 4 leaves yet"):
        transparency_log.prove_consistency(2, 4)


@pytest.mark.django_db
def test_append_refuses_a_body_longer_than_a_bundle_allows() -> None:
    with pytest.raises(canonical_json.NotCanonical):
        transparency_log.append(
            kind="test.made", subject=uuid4(), body={"long": "x" * 70_000}, at=NOW
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_change_is_refused_even_to_a_replica_session(verb: str, role: str) -> None:
    append(2)
    transparency_log.sequence(at=NOW)
    changed = {"logentry": "kind = 'x'", "leaf": "index = 9", "node": "level = 3"}
    for table in TABLES:
        statement = {
            "UPDATE": f"UPDATE provenance_{table} SET {changed.get(table, 'tree_size = 9')}",
            "DELETE": f"DELETE FROM provenance_{table}",
            "TRUNCATE": f"TRUNCATE provenance_{table} CASCADE",
        }[verb]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE provenance_{table} ENABLE ALWAYS TRIGGER {table}_no_truncate"
            )
            cursor.execute(f"SET LOCAL session_replication_role = {role}")
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute(statement)
            transaction.set_rollback(True)
    assert recomputation.audit().fault is None


def run_together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run each job on its own thread and connection, at once; raise what any of them raised."""
    results: list[Any] = []
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> None:
        try:
            start.wait()
            results.append(job())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


@pytest.mark.django_db(transaction=True)
def test_two_sequencers_and_writers_at_once_lose_and_double_nothing() -> None:
    def write() -> int:
        for _ in range(20):
            append(1)
        return 0

    def sequence() -> int:
        return sum(transparency_log.sequence(at=NOW) for _ in range(15))

    added = sum(run_together(write, write, sequence, sequence)) + transparency_log.sequence(at=NOW)
    audit = recomputation.audit()
    assert (added, audit.leaves, audit.waiting, audit.fault) == (40, 40, 0, None)


@pytest.mark.django_db(transaction=True)
def test_crash_between_outbox_and_tree_is_made_good_by_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append(3)
    real = transparency_log._sign

    def crash(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(transparency_log, "_sign", crash)
    with pytest.raises(KeyboardInterrupt):
        transparency_log.sequence(at=NOW)
    assert (Leaf.objects.count(), PendingEntry.objects.count()) == (0, 3)
    monkeypatch.setattr(transparency_log, "_sign", real)
    assert transparency_log.sequence(at=NOW) == 3
    assert recomputation.audit().fault is None


def tamper(table: str, statement: str) -> None:
    """What the owner of the database could do: switch the triggers off and change a row."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE provenance_{table} DISABLE TRIGGER {table}_append_only")
        cursor.execute(statement)
        cursor.execute(f"ALTER TABLE provenance_{table} ENABLE ALWAYS TRIGGER {table}_append_only")


@pytest.fixture
def nine_entries(transactional_db: None) -> None:
    append(5)
    transparency_log.sequence(at=NOW)
    append(4)
    transparency_log.sequence(at=NOW)


def test_audit_finds_nothing_in_a_log_that_holds(nine_entries: None) -> None:
    audit = recomputation.audit()
    assert (audit.leaves, audit.checkpoints, audit.waiting, audit.fault) == (9, 2, 0, None)


BODY = """UPDATE provenance_logentry SET body = body || ' '::bytea
 WHERE id = (SELECT entry_id FROM provenance_leaf WHERE index = 6)"""
DIGEST = """UPDATE provenance_node SET digest = sha256('x') WHERE level = 1 AND position = 1"""
MISSING_NODE = "DELETE FROM provenance_node WHERE level = 0 AND position = 2"
ROOT = "UPDATE provenance_checkpoint SET root_hash = sha256('x') WHERE tree_size = 5"
NOTE = """UPDATE provenance_checkpoint SET note = replace(note, E'\\n5\\n', E'\\n4\\n')
 WHERE tree_size = 5"""


@pytest.mark.parametrize(
    ("table", "statement", "index"),
    [
        ("logentry", BODY, 6),
        ("node", DIGEST, 3),
        ("node", MISSING_NODE, 2),
        ("checkpoint", ROOT, 4),
        ("checkpoint", NOTE, 4),
        ("leaf", "DELETE FROM provenance_leaf WHERE index = 4", 4),
        ("leaf", "DELETE FROM provenance_leaf WHERE index = 8", 8),
        ("checkpoint", "DELETE FROM provenance_checkpoint WHERE tree_size = 9", 8),
    ],
)
def test_audit_names_the_first_bad_index(
    nine_entries: None, table: str, statement: str, index: int
) -> None:
    tamper(table, statement)
    fault = recomputation.audit().fault
    assert fault is not None
    assert fault.index == index


def test_proof_through_a_part_of_the_tree_that_is_gone_says_so(nine_entries: None) -> None:
    tamper("node", MISSING_NODE)
    with pytest.raises(transparency_log.NotInLog, match="missing a part of its tree"):
        transparency_log.prove_inclusion(3)


def test_audit_finds_an_entry_that_was_dropped_from_the_outbox(nine_entries: None) -> None:
    append(1)
    PendingEntry.objects.all().delete()
    fault = recomputation.audit().fault
    assert fault is not None
    assert "neither" in fault.sentence


@pytest.mark.django_db
def test_empty_log_has_a_checkpoint_of_nothing() -> None:
    transparency_log.sequence(at=NOW)
    assert bytes(Checkpoint.objects.get().root_hash) == merkle.EMPTY_ROOT
