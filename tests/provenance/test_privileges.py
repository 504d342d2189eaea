"""The application's own database role: it works with everything, and cannot change the log."""

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import errors

from provenance.database import privileges
from provenance.log import freshness, recomputation, transparency_log
from provenance.models import Leaf
from tests.provenance.conftest import NOW
from tests.settings import APP_DATABASE_URL

ROLE = "proofsheet_app"


@pytest.fixture
def application(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection to the tests' database as the role that a house works as."""
    call_command("grant_role", ROLE)
    for number in range(3):
        transparency_log.append(kind="test.made", subject=uuid4(), body={"number": number}, at=NOW)
    transparency_log.sequence(at=NOW)
    named = urlsplit(APP_DATABASE_URL)
    assert named.username == ROLE
    url = urlunsplit(named._replace(path=f"/{connection.settings_dict['NAME']}"))
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize("table", privileges.LOG_TABLES)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE provenance_{table} SET {column} = {column}",
        "DELETE FROM provenance_{table}",
        "TRUNCATE provenance_{table}",
        "ALTER TABLE provenance_{table} DISABLE TRIGGER {table}_append_only",
        "ALTER TABLE provenance_{table} DISABLE TRIGGER ALL",
        "DROP TRIGGER {table}_append_only ON provenance_{table}",
        "ALTER TABLE provenance_{table} ADD COLUMN more int",
        "DROP TABLE provenance_{table} CASCADE",
        "ALTER TABLE provenance_{table} OWNER TO proofsheet_app",
        "GRANT UPDATE ON provenance_{table} TO proofsheet_app",
        "SELECT 1 FROM provenance_{table} FOR UPDATE",
    ],
)
def test_role_can_neither_change_the_log_nor_its_triggers(
    application: psycopg.Connection, table: str, statement: str
) -> None:
    column = {"logentry": "kind", "leaf": "index", "node": "level", "checkpoint": "tree_size"}
    asked = statement.format(table=table, column=column[table])
    with pytest.raises(errors.InsufficientPrivilege):
        _execute(application, asked)
    assert recomputation.audit().fault is None


def _execute(application: psycopg.Connection, statement: str) -> None:
    """PostgreSQL answers a GRANT of what one does not own with a warning."""

    def refuse(notice: psycopg.errors.Diagnostic) -> None:
        warned.append(str(notice.message_primary))

    warned: list[str] = []
    application.add_notice_handler(refuse)
    application.execute(statement)
    if warned:
        raise errors.InsufficientPrivilege(warned[0])


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET ROLE proofsheet",
        "ALTER ROLE proofsheet_app SUPERUSER",
        "CREATE TABLE public.mine (a int)",
        "CREATE OR REPLACE FUNCTION provenance_refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NEW; END $$",
        "DROP FUNCTION provenance_refuse_change() CASCADE",
    ],
)
def test_role_has_no_way_around_the_triggers(
    application: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        application.execute(statement)


def test_house_works_as_that_role(application: psycopg.Connection) -> None:
    """Appending, sequencing, signing and auditing need no more than what is granted."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")
        try:
            transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=NOW)
            assert transparency_log.sequence(at=NOW) == 1
            assert freshness.refresh(at=NOW)
            assert Leaf.objects.count() == 4
            assert recomputation.audit().fault is None
        finally:
            cursor.execute("RESET ROLE")


def test_role_that_owns_the_tables_is_not_taken_for_one_that_does_not() -> None:
    for name in ("x; DROP TABLE a", "Proofsheet", "", "a" * 64):
        with pytest.raises(CommandError, match="plain name"):
            call_command("grant_role", name)
