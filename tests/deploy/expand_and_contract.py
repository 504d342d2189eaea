"""Which migrations the last release's code cannot live with: docs/operate/upgrade.md's rules."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.db import migrations
from django.db.migrations import Migration
from django.db.models import NOT_PROVIDED

TAKES_AWAY = (
    migrations.RemoveField, migrations.RenameField, migrations.RenameModel,
    migrations.DeleteModel, migrations.AlterModelTable,
)  # fmt: skip


def breaks(migration: Migration) -> Iterator[str]:
    """What each operation takes away that somebody still reads or writes; nothing of most."""
    for operation in _of_the_database(migration.operations):
        if isinstance(operation, TAKES_AWAY):
            yield f"{operation.describe()}: drop it a release later, and rename nothing"
        elif isinstance(operation, migrations.AddField):
            field = operation.field
            has_default = getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
            if not (field.null or field.many_to_many or has_default):
                yield f"{operation.describe()}: old code leaves it out; give it a db_default"


def _of_the_database(operations: object) -> Iterator[object]:
    for operation in operations:  # type: ignore[attr-defined] # Django's stubs have them as a list
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _of_the_database(operation.database_operations)
        else:
            yield operation


def since_the_last_release(root: Path) -> list[Path]:
    """Files of migrations that the newest tag `v…` has not; none where nothing is tagged."""
    tag = _git(root, "describe", "--tags", "--match", "v*", "--abbrev=0")
    if not tag:
        return []
    added = _git(root, "diff", "--name-only", "--diff-filter=A", tag, "--", "*/migrations/*.py")
    return [Path(name) for name in added.split() if not name.endswith("__init__.py")]


def loaded(path: Path) -> Migration:
    module = import_module(".".join(path.with_suffix("").parts))
    made: Migration = module.Migration(path.stem, path.parts[-3])
    return made


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
