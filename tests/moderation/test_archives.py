"""The exports page and the decision log: the same data, the same bytes, nobody's name."""

import csv
import hashlib
import zipfile
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from moderation.appeals import hearing
from moderation.decisions import enforcing
from moderation.exports import archives, decision_log, transparency_files
from moderation.models import Export
from tests.moderation.makers import NOON, refused_by, refused_by_machine

DAYS = transparency_files.Period(NOON.date(), NOON.date())
FORM = {"kind": "decisions", "first": "2026-11-24", "last": "2026-11-24"}


def rows() -> list[dict[str, str]]:
    files = dict(decision_log.files(DAYS))
    return list(csv.DictReader(StringIO(files["decision-log.csv"].decode())))


def test_decision_log_holds_every_decision_with_its_digest_and_appeal(
    alice: User, bob: User, carol: User
) -> None:
    machine, person = refused_by_machine(alice), refused_by(bob, alice)
    appeal = hearing.lodge(person, by=alice, grounds="No.", at=NOON)
    hearing.hear(appeal, by=carol, outcome="reversed", reasons="Right.", at=NOON)
    found = {row["decision"]: row for row in rows()}
    assert len(found) == 3
    assert found[str(machine.id)]["decided_by"] == "automated"
    assert found[str(person.id)]["appeal_status"] == "reversed"
    assert found[str(person.id)]["digest"] == enforcing.digest(person)
    [reversal] = [row for row in found.values() if row["reverses"]]
    assert reversal["reverses"] == str(person.id)


def test_decision_log_names_nobody_and_quotes_nothing(alice: User, bob: User) -> None:
    refused_by(bob, alice)
    text = b"".join(data for _, data in decision_log.files(DAYS)).decode()
    assert not any(word in text for word in ("alice", "bob", "flame", "example.org"))


def test_decision_log_leaves_other_days_out(alice: User) -> None:
    refused_by_machine(alice, at=NOON - timedelta(days=1))
    assert rows() == []


def test_export_is_the_same_bytes_again(alice: User, dora: User, as_user: Any) -> None:
    refused_by_machine(alice)
    client = as_user(dora)
    first, second = (client.post(reverse("moderation:export"), FORM) for _ in range(2))
    assert first.content == second.content
    assert first["X-Content-SHA256"] == hashlib.sha256(first.content).hexdigest()
    refused_by_machine(alice)
    assert client.post(reverse("moderation:export"), FORM).content != first.content


@pytest.mark.parametrize("kind", Export.Kind.values)
def test_archive_holds_its_files_and_their_sums(kind: str, alice: User, dora: User) -> None:
    refused_by_machine(alice)
    record, data = archives.make(kind, DAYS, by=dora, at=NOON)
    with zipfile.ZipFile(BytesIO(data)) as archive:
        sums = archive.read("SHA256SUMS").decode().split()
        names = set(archive.namelist()) - {"SHA256SUMS"}
        assert dict(zip(sums[1::2], sums[::2], strict=True)) == {
            name: hashlib.sha256(archive.read(name)).hexdigest() for name in names
        }
    assert (record.size_bytes, record.made_by) == (len(data), dora)


def test_page_lists_what_was_taken_out(dora: User, as_user: Any) -> None:
    client = as_user(dora)
    taken = client.post(reverse("moderation:export"), FORM)
    text = client.get(reverse("moderation:exports")).content.decode()
    assert "Decision log" in text
    assert taken["X-Content-SHA256"] in text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({**FORM, "first": "2026-11-25"}, "period_invalid"),
        ({**FORM, "last": "9999-12-31"}, "period_invalid"),
        ({**FORM, "kind": "cats"}, "not one of the available choices"),
        ({**FORM, "first": "soon"}, "Enter a valid date"),
    ],
)
def test_page_says_what_is_wrong(
    form: dict[str, str], words: str, dora: User, as_user: Any
) -> None:
    answer = as_user(dora).post(reverse("moderation:export"), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize("name", ["alice", "bob", "carol"])
def test_exports_are_refused_without_the_role(name: str, request: Any, as_user: Any) -> None:
    client = as_user(request.getfixturevalue(name))
    for answer in (
        client.get(reverse("moderation:exports")),
        client.post(reverse("moderation:export"), FORM),
    ):
        assert answer.status_code == 403
        assert "not_compliance" in answer.content.decode()


def test_command_writes_the_log_with_its_sums(alice: User, tmp_path: Path) -> None:
    refused_by_machine(alice)
    days = ["--from", "2026-11-24", "--to", "2026-11-24"]
    call_command("export_decisions", *days, "--out", str(tmp_path / "out"), stdout=StringIO())
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["SHA256SUMS", "decision-log.csv", "decision-log.jsonl"]
