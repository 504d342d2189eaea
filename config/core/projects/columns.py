"""The columns by which a row knows whom it is for, and what fills them in migrations."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.migrations import RunPython

BATCH = 10_000
_OWNERS = """
    UPDATE {table} SET project_id = p.id FROM projects_project p
    WHERE p.personal_of_id = {table}.{owner} AND {table}.id IN (
        SELECT t.id FROM {table} t JOIN projects_project p ON p.personal_of_id = t.{owner}
        WHERE t.project_id IS NULL LIMIT {batch}
    )
"""
_PARENTS = """
    UPDATE {table} SET project_id = p.project_id FROM {parent} p
    WHERE p.id = {table}.{column} AND {table}.{key} IN (
        SELECT t.{key} FROM {table} t JOIN {parent} p ON p.id = t.{column}
        WHERE t.project_id IS NULL AND p.project_id IS NOT NULL LIMIT {batch}
    )
"""


def project(**said: Any) -> models.ForeignKey[Any, Any]:
    """Which project a row belongs to; evidence outlives everybody, so it is never deleted."""
    return models.ForeignKey("projects.Project", models.PROTECT, related_name="+", **said)


def end_user() -> models.ForeignKey[Any, Any]:
    """Whom the project asked for; null where it asked for itself."""
    return models.ForeignKey(
        "projects.EndUser", models.PROTECT, null=True, blank=True, related_name="+"
    )


def of_owners(table: str, owner: str = "owner_id", *, is_evidence: bool = False) -> RunPython:
    """The migration that gives rows of before the project of their owner, in batches that are kept
    one by one: its migration must not be atomic. Of evidence nothing else changes meanwhile."""
    statement = _OWNERS.format(table=table, owner=owner, batch="{batch}")
    return _filling(table, statement, is_evidence=is_evidence)


def of_parents(
    table: str, parent: str, column: str, *, key: str = "id", is_evidence: bool = False
) -> RunPython:
    """The same, with the project of the row that `column` names in `parent`."""
    statement = _PARENTS.format(table=table, parent=parent, column=column, key=key, batch="{batch}")
    return _filling(table, statement, is_evidence=is_evidence)


def _filling(table: str, statement: str, *, is_evidence: bool) -> RunPython:
    def fill(_: Any, editor: Any) -> None:
        while _batch(editor.connection, table, statement, is_evidence=is_evidence):
            pass

    return RunPython(fill, RunPython.noop, elidable=False)


def _batch(connection: Any, table: str, statement: str, *, is_evidence: bool) -> int:
    """How many rows were filled. The trigger is off within the transaction alone, which holds the
    table: nobody else's change passes meanwhile."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if is_evidence:
            cursor.execute(_trigger("DISABLE", table))
        cursor.execute(statement.format(batch=BATCH))
        filled = int(cursor.rowcount)
        if is_evidence:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(_trigger("ENABLE ALWAYS", table))
    return filled


def _trigger(what: str, table: str) -> str:
    """Where it is there already: in a new house it comes after all migrations."""
    return (
        "DO $do$ BEGIN IF EXISTS (SELECT FROM pg_trigger WHERE tgname = 'evidence_is_held'"
        f" AND tgrelid = 'public.{table}'::regclass) THEN"
        f" ALTER TABLE {table} {what} TRIGGER evidence_is_held; END IF; END $do$"
    )
