"""`manage.py doctor` says of each fault one sentence and what to do."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from config.core import clock
from config.core.storage import StorageRefused
from config.doctor import database_checks, examination, server_checks, work_checks
from config.doctor.symptoms import Check
from config.launch.child_processes import free_port
from generation.models import SWEEP, Occurrence, Worker
from generation.requests import storage_room
from provenance.keys import key_folder
from provenance.log import own_keys, transparency_log
from provenance.models import Checkpoint
from tests.house.test_checks import PRODUCTION, run

pytestmark = pytest.mark.django_db
QUEUES = ["gpu", "cpu", "beat", "outbox"]


def told(check: Check) -> list[str]:
    return [symptom.sentence for symptom in check()]


def a_worker(**said: Any) -> Worker:
    now = clock.now()
    row: dict[str, Any] = {
        "name": "all@here", "queues": QUEUES, "started_at": now, "seen_at": now, "release": "0.1.0",
    }  # fmt: skip
    return Worker.objects.create(**row | said)


@pytest.fixture
def well() -> None:
    """A house in which all goes on."""
    a_worker()
    Occurrence.objects.create(name=SWEEP, at=clock.now())
    own_keys.make()


def asked(*arguments: str) -> tuple[int, str]:
    """Exit status and words."""
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.usefixtures("well")
def test_house_that_is_well_ends_with_nothing_to_mend() -> None:
    status, words = asked()
    assert (status, "MEND" in words) == (0, False), words
    status, document = asked("--json")
    read = json.loads(document)
    assert (status, read["is_well"]) == (0, True)
    names = [check["name"] for check in read["checks"]]
    assert names == ["database", *examination.WITHOUT_DATABASE, *examination.WITH_DATABASE]


@pytest.mark.usefixtures("well")
def test_one_fault_is_told_and_ends_with_one() -> None:
    Occurrence.objects.all().delete()
    status, words = asked()
    assert status == 1
    assert words.count("MEND") == 1
    assert "was done never yet" in words
    assert "Start beat, one in all" in words
    status, document = asked("--json")
    (bad,) = [check for check in json.loads(document)["checks"] if not check["is_well"]]
    assert (status, bad["name"]) == (1, "beat")


def test_without_a_database_the_rest_is_told_all_the_same(settings: Settings) -> None:
    settings.DATABASE_URL = f"postgresql://sheet:secret@127.0.0.1:{free_port()}/proof"
    status, words = asked()
    assert status == 1
    assert "PostgreSQL cannot be used there" in words
    assert "secret" not in words
    assert "well broker" in words
    assert "keys: not asked, as the database is away" in words


def test_database_that_takes_no_writes_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    assert "read-only" in told(database_checks.takes_writes)[0]


def test_database_in_another_time_zone_is_told() -> None:
    assert told(database_checks.keeps_utc) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone TO 'Asia/Tokyo'")
    assert "time zone Asia/Tokyo" in told(database_checks.keeps_utc)[0]


def test_migrations_that_are_missing_or_unknown_are_told() -> None:
    assert told(database_checks.has_the_tables) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('generation', '9999_later', now())"
        )
    assert "generation.9999_later" in told(database_checks.has_the_tables)[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'generation' AND name > '0021_demand'"
        )
    found = told(database_checks.has_the_tables)[0]
    assert re.search(r"lacks \d+ migrations of this release, generation\.0022", found)


def test_clock_a_day_ahead_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(database_checks.agrees_on_the_time) == []
    yesterday = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setattr(database_checks, "_asked", lambda _: yesterday)
    (sentence,) = told(database_checks.agrees_on_the_time)
    assert sentence.startswith("This host's clock is +8640")


def test_broker_that_does_not_answer_is_told_without_its_password(settings: Settings) -> None:
    assert told(server_checks.broker) == told(server_checks.cache) == []
    settings.BROKER_URL = f"redis://:secret@127.0.0.1:{free_port()}/0"
    (sentence,) = told(server_checks.broker)
    assert "no server answers there" in sentence
    assert "secret" not in sentence


def test_storage_that_cannot_be_written_or_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "media").touch()
    storage = FileSystemStorage(location=tmp_path / "media")
    monkeypatch.setattr(server_checks, "private_storage", lambda: storage)
    assert "cannot be written" in told(server_checks.storage)[0]

    def refuses() -> FileSystemStorage:
        raise StorageRefused(message="The key is not known to the storage.")

    monkeypatch.setattr(server_checks, "private_storage", refuses)
    monkeypatch.setattr(examination, "WITHOUT_DATABASE", {"storage": server_checks.storage})
    *_, storage_told = [each for each in examination.examine() if each.name == "storage"]
    assert storage_told.symptoms[0].sentence == "The key is not known to the storage."


def test_storage_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FileSystemStorage(location=tmp_path)
    monkeypatch.setattr(server_checks, "private_storage", lambda: storage)
    assert told(server_checks.storage) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_little_room_is_a_note_and_none_has_to_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    for free_mib, is_harmless in ((500, True), (5, False)):
        free = float(free_mib * 2**20)
        monkeypatch.setattr(storage_room, "free_bytes", lambda free=free: free)
        (symptom,) = server_checks.disk_room()
        assert f"{free_mib} MiB" in symptom.sentence
        assert symptom.is_harmless is is_harmless


def test_mail_server_that_is_not_there_is_told(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    assert "cannot be used" in told(server_checks.mails)[0]


def test_keys_that_did_not_sign_the_newest_checkpoint_are_told(
    settings: Settings, tmp_path: Path
) -> None:
    own_keys.make()
    transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=clock.now())
    transparency_log.sequence(at=clock.now())
    assert told(work_checks.keys) == []
    settings.PROOFSHEET_KEYS_DIR = tmp_path
    assert told(work_checks.keys) == ["There are no signing keys in " + tmp_path.name + "/."]
    key_folder.load_or_make(tmp_path)
    assert told(work_checks.keys) == [own_keys.KeysForeign.default_message]
    assert Checkpoint.objects.count() == 1


def test_entries_that_wait_long_for_their_place_are_told() -> None:
    own_keys.make()
    late = clock.now() - timedelta(minutes=5)
    transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=late)
    assert "has waited for its place in the log since" in told(work_checks.log)[0]


def test_queue_without_a_worker_is_told_and_a_hardware_queue_that_is_none(
    settings: Settings,
) -> None:
    a_worker(queues=["gpu", "cpu", "beat"])
    settings.PROOFSHEET_HARDWARE_QUEUES = ["gpu-24g", "gpu-1g"]
    assert told(work_checks.workers) == [
        f"No worker takes from the queue `{name}`." for name in ("gpu-24g", "gpu-1g", "outbox")
    ]
    assert told(server_checks.fit) == ["HARDWARE_QUEUES names 'gpu-1g', which is no hardware tier."]


def test_worker_of_another_release_or_with_another_clock_is_told() -> None:
    a_worker(release="0.0.9", vitals={"clock_skew_ms": -40_000})
    release, skew = told(work_checks.workers)
    assert release == "The worker all@here runs release 0.0.9, and this is 0.1.0."
    assert skew == "The clock of the worker all@here is -40.0 s off the database's."


def test_production_that_would_not_start_is_told_what_is_wrong(tmp_path: Path) -> None:
    said = PRODUCTION | {"PUBLIC_URL": "http://images.example"}
    done = run(tmp_path, sys.executable, "manage.py", "doctor", **said)
    assert done.returncode == 1
    assert "PUBLIC_URL is 'http://images.example': it begins with https://" in done.stdout
    assert "Traceback" not in done.stderr
