"""Exports for compliance: complete, validated, free of personal data and reproducible."""

import csv
import hashlib
import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from moderation.appeals import hearing
from moderation.exports import transparency_files
from moderation.models import Statement
from moderation.statements.formats import eu_statement
from tests.moderation.makers import NOON, refused_by, refused_by_machine
from tests.rewriting import rewritten

DAY = date(2026, 11, 24)
PERIOD = transparency_files.Period(DAY, DAY)


def export(command: str, folder: Path, first: date = DAY, last: date = DAY) -> str:
    out = StringIO()
    call_command(command, f"--from={first}", f"--to={last}", f"--out={folder}", stdout=out)
    return out.getvalue()


def test_export_statements_writes_validated_batches_of_a_hundred(
    alice: User, tmp_path: Path
) -> None:
    for _ in range(101):
        refused_by_machine(alice)
    assert "2 batches" in export("export_statements", tmp_path / "out")
    first, second = sorted((tmp_path / "out").glob("statements-*.json"))
    batches = [json.loads(path.read_text())["statements"] for path in (first, second)]
    assert [len(batch) for batch in batches] == [100, 1]
    for statement in batches[0] + batches[1]:
        eu_statement.validate(statement)
    assert len({statement["puid"] for statement in batches[0] + batches[1]}) == 101


def test_export_holds_no_personal_data_and_no_prompt(alice: User, tmp_path: Path) -> None:
    refused_by_machine(alice)
    export("export_statements", tmp_path / "out")
    text = (tmp_path / "out" / "statements-00001.json").read_text()
    for secret in ("alice", "example.org/alice", "flame", "naked"):
        assert secret not in text


def test_export_is_the_same_byte_for_byte_and_its_digests_hold(
    alice: User, bob: User, tmp_path: Path
) -> None:
    refused_by(bob, alice)
    refused_by_machine(alice)
    for command in ("export_statements", "transparency_report"):
        folders = [tmp_path / command / name for name in ("one", "two")]
        for folder in folders:
            export(command, folder)
        one, two = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders)
        assert one == two
        for line in one.pop("SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(one.pop(name)).hexdigest() == digest
        assert one == {}


def test_period_includes_its_last_day_and_nothing_after(alice: User) -> None:
    refused_by_machine(alice, at=NOON.replace(hour=23, minute=59))
    refused_by_machine(alice, at=NOON + timedelta(days=1))
    [(_, data)] = transparency_files.statement_files(PERIOD)
    assert len(json.loads(data)["statements"]) == 1


def test_export_refuses_a_statement_that_the_database_would_not_take(alice: User) -> None:
    statement = refused_by_machine(alice).statement
    with rewritten(Statement):
        Statement.objects.filter(id=statement.id).update(fields={"category": "KITTENS"})
    with pytest.raises(eu_statement.StatementInvalid):
        list(transparency_files.statement_files(PERIOD))


def test_report_counts_measures_screenings_and_complaints(
    alice: User, bob: User, carol: User
) -> None:
    refused_by_machine(alice)
    upheld, turned = refused_by(bob, alice), refused_by_machine(alice)
    for decision, outcome, hours in ((upheld, "upheld", 2), (turned, "reversed", 4)):
        appeal = hearing.lodge(decision, by=alice, grounds="Hm.", at=NOON)
        hearing.hear(
            appeal,
            by=carol,
            outcome=outcome,  # type: ignore[arg-type] # one of the two literals
            reasons="Reasons.",
            at=NOON + timedelta(hours=hours),
        )
    found = transparency_files.report(PERIOD)
    assert found["Number of measures"] == 3
    assert found["Number of measures solely taken by automated means"] == 2
    assert found["Number of measures under nudity"] == 3
    assert found["Complaints: decisions upheld"] == 1
    assert found["Complaints: decisions reversed"] == 1
    assert found["Complaints: median time to decision in hours"] == 3
    assert found["Complaints against automated measures: share reversed"] == 1


def test_report_of_a_quiet_day_has_zeros_and_no_median(db: None, tmp_path: Path) -> None:
    export("transparency_report", tmp_path / "out")
    rows = list(csv.reader((tmp_path / "out" / "transparency-report.csv").open()))
    values: dict[str, Any] = dict(rows[1:])
    assert values["Number of measures"] == "0"
    assert values["Complaints: median time to decision in hours"] == ""


def test_export_says_what_is_wrong_in_one_sentence(db: None, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("here")
    with pytest.raises(CommandError, match="is not empty"):
        export("export_statements", tmp_path / "full")
    with pytest.raises(CommandError, match="ends before it begins"):
        export("transparency_report", tmp_path / "out", last=DAY - timedelta(days=1))
    with pytest.raises(CommandError, match="is not a day"):
        call_command("export_statements", "--from=soon", "--to=2026-11-24", "--out=x")
