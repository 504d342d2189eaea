"""A log behind what its own key has signed, as after a restore from an old backup, signs nothing
until its entries are back; what a witness merely says stops nobody's log.
"""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.db import connection
from django.test import Client
from prometheus_client import generate_latest
from pytest_django.fixtures import Settings

from config.core.watching.house_gauges import HOUSE
from provenance import tasks
from provenance.keys.installed_keys import keyring
from provenance.log import cosigning, freshness, recomputation, rollback, transparency_log
from provenance.log.formats import checkpoint
from provenance.models import Cosignature, PendingEntry
from provenance.witness.witness_server import WitnessService
from tests.provenance.conftest import NOW, WITNESS, grow

TABLES = ("logentry", "leaf", "node", "checkpoint")


def append_only(is_on: bool) -> str:
    how = "ENABLE ALWAYS" if is_on else "DISABLE"
    return ";".join(
        f"ALTER TABLE provenance_{table} {how} TRIGGER {table}_append_only" for table in TABLES
    )


@pytest.fixture
def backup() -> Callable[[], Callable[[], None]]:
    """`take()` copies the log as a newer backup would hold it; what it returns puts it back."""

    def take() -> Callable[[], None]:
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"CREATE TABLE kept_{table} AS TABLE provenance_{table}")

        def restore() -> None:
            with connection.cursor() as cursor:
                cursor.execute(append_only(False))
                for table in TABLES:
                    cursor.execute(f"DELETE FROM provenance_{table}")
                    cursor.execute(f"INSERT INTO provenance_{table} TABLE kept_{table}")
                cursor.execute(append_only(True))

        return restore

    return take


def roll_back(size: int) -> None:
    """To the backup of when the log had `size` entries; of witnesses it knows nothing."""
    with connection.cursor() as cursor:
        cursor.execute(append_only(False))
        cursor.execute("DELETE FROM provenance_logentry WHERE id IN (SELECT entry_id FROM"
                       " provenance_leaf WHERE index >= %s)", [size])  # fmt: skip
        cursor.execute("DELETE FROM provenance_leaf WHERE index >= %s", [size])
        cursor.execute(
            "DELETE FROM provenance_node WHERE (position + 1) << level::int > %s", [size]
        )
        cursor.execute("DELETE FROM provenance_checkpoint WHERE tree_size > %s", [size])
        cursor.execute(append_only(True))
    Cosignature.objects.all().delete()


@pytest.fixture
def rolled_back(
    house: WitnessService, backup: Callable[[], Callable[[], None]]
) -> Callable[[], None]:
    """A log of four entries of which a witness has cosigned nine; calling it restores those."""
    grow(4)
    grow(5)
    assert cosigning.collect(at=NOW) == 1
    restore = backup()
    roll_back(4)
    cosigning._has_looked.clear()  # as in a process that was started again
    return restore


@pytest.mark.usefixtures("rolled_back")
def test_nothing_is_signed_after_a_restore_from_an_old_backup(
    caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    """A process that starts on the old database asks before it signs for the first time."""
    shown = client.get("/log/checkpoint").text
    transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=NOW)
    for _ in range(2):
        tasks.sequence_log()
    assert client.get("/log/checkpoint").text == shown
    assert PendingEntry.objects.count() == 1  # it waits
    assert "lacks 5 entries" in caplog.text
    with pytest.raises(rollback.LogBehind):
        freshness.refresh(at=NOW)  # that this is the newest tree would not be true
    assert "proofsheet_log_entries_missing 5.0" in generate_latest(HOUSE).decode()


@pytest.mark.usefixtures("rolled_back")
def test_running_process_stops_once_its_witness_refuses() -> None:
    """The database was put back under it: what it signs in between is all there is of it."""
    cosigning._has_looked.set()
    grow(2)
    assert cosigning.collect(at=NOW) == 0
    assert Cosignature.objects.get().problem == "log_behind"
    with pytest.raises(rollback.LogBehind, match="lacks 3 entries"):
        grow(1)
    assert cosigning.collect(at=NOW) == 0


def test_log_goes_on_when_its_entries_are_back(
    rolled_back: Callable[[], None], capsys: pytest.CaptureFixture[str], house: WitnessService
) -> None:
    with pytest.raises(SystemExit):
        call_command("check_witnesses")
    told = capsys.readouterr()
    assert f"{WITNESS} cosigned 9 entries; the log has 4." in told.out
    (note,) = re.findall(r"^localhost/proofsheet\n.*", told.out, re.DOTALL | re.MULTILINE)
    key = keyring().log_key.public_key()
    assert checkpoint.verify(note, origin="localhost/proofsheet", key=key).tree_size == 9
    assert checkpoint.cosigned_at(note, name=WITNESS, key=house.key.public_key())
    assert "restore the newest backup" in told.err
    rolled_back()
    call_command("check_witnesses")
    assert "lacks nothing" in capsys.readouterr().out
    grow(3)
    assert cosigning.collect(at=NOW) == 1
    assert freshness.refresh(at=NOW)
    found = recomputation.audit()
    assert (found.fault, found.leaves) == (None, 12)
    assert "proofsheet_log_entries_missing 0.0" in generate_latest(HOUSE).decode()


def test_cosignature_that_is_kept_here_is_proof_enough(
    house: WitnessService, settings: Settings, client: Client
) -> None:
    """With its witness away. While the log stands still its pages are served."""
    grow(4)
    grow(5)
    cosigning.collect(at=NOW)
    kept = Cosignature.objects.get()
    roll_back(4)
    kept.save(force_insert=True)
    (said,) = settings.PROOFSHEET_LOG_WITNESSES
    settings.PROOFSHEET_LOG_WITNESSES = [f"{said.split(' ')[0]} http://127.0.0.1:9/"]
    with pytest.raises(rollback.LogBehind):
        grow(1)
    assert cosigning.collect(at=NOW) == 0
    assert client.get("/log/entry/0/").status_code == 200


def test_witness_without_our_own_signature_stops_nobody(
    house: WitnessService, settings: Settings
) -> None:
    """It shows a larger tree, and says so by its own key alone."""
    grow(4)
    head = checkpoint.TreeHead(settings.PROOFSHEET_LOG_ORIGIN, 99, bytes(32))
    forged = checkpoint.sign(head, key=Ed25519PrivateKey.generate())
    forged += checkpoint.cosign(head, name=WITNESS, key=house.key, unix_time=1)
    with house.memory._opened() as database:
        database.execute(
            "INSERT INTO seen (origin, size, root, note) VALUES (?, 99, ?, ?)",
            [head.origin, head.root_hash, forged],
        )
    cosigning.collect(at=NOW)
    assert Cosignature.objects.get().problem == "witness_saw_more"
    grow(1)
    assert transparency_log.latest_checkpoint().tree_size == 5
