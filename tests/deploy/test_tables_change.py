"""How tables change under a house that serves: no lock is waited for long, and old code goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import OperationalError, migrations, models
from psycopg.errors import LockNotAvailable

from config.launch.embedded_servers import ROOT
from config.management.commands import prepare_house
from tests.deploy import expand_and_contract

SHOW = """
import sys
sys.argv = "manage.py {command}".split()
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW lock_timeout")
    print(cursor.fetchone()[0])
"""


@pytest.mark.parametrize(
    ("command", "waits"),
    [("prepare_house", "5s"), ("migrate", "5s"), ("doctor", "0"), ("migrate --check", "0")],
)
def test_whoever_changes_tables_waits_for_no_lock_longer_than_people_wait(
    command: str, waits: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(command=command)],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [waits]


def refused() -> OperationalError:
    error = OperationalError("canceling statement due to lock timeout")
    error.__cause__ = LockNotAvailable()
    return error


def test_lock_that_was_not_had_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries, waited = [refused(), refused(), None], list[float]()

    def call(*_: object, **__: object) -> None:
        if error := tries.pop(0):
            raise error

    monkeypatch.setattr(prepare_house, "call_command", call)
    prepare_house.migrate(wait=waited.append)
    assert not tries
    assert len(waited) == 2


def test_table_that_is_never_free_and_other_errors_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def call(*_: object, **__: object) -> None:
        raise refused()

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("no such host")

    monkeypatch.setattr(prepare_house, "call_command", call)
    with pytest.raises(CommandError, match="somebody holds a table"):
        prepare_house.migrate(wait=lambda _: None)
    monkeypatch.setattr(prepare_house, "call_command", fail)
    with pytest.raises(OperationalError, match="no such host"):
        prepare_house.migrate(wait=lambda _: None)


def of(*operations: object) -> list[str]:
    made = type("Migration", (migrations.Migration,), {"operations": list(operations)})
    return list(expand_and_contract.breaks(made("0002_x", "app")))


COUNT = models.IntegerField()


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("picture", "count", models.IntegerField()),
        migrations.AddField("picture", "count", models.IntegerField(default=1)),
        migrations.RemoveField("picture", "count"),
        migrations.RenameField("picture", "count", "sum"),
        migrations.RenameModel("Picture", "Image"),
        migrations.DeleteModel("Picture"),
        migrations.AlterModelTable("picture", "images"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_change_that_the_last_release_s_code_would_break_on_is_found(operation: object) -> None:
    assert of(operation)


def test_change_that_only_adds_is_let_through() -> None:
    assert not of(
        migrations.AddField("picture", "count", models.IntegerField(null=True)),
        migrations.AddField("picture", "sum", models.IntegerField(default=1, db_default=1)),
        migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Gone")]),
    )


def test_migrations_since_the_last_release_only_add() -> None:
    """Of releases, as tags name them: before the first one there is nobody to serve meanwhile."""
    for path in expand_and_contract.since_the_last_release(Path(ROOT)):
        assert not list(expand_and_contract.breaks(expand_and_contract.loaded(path))), path
