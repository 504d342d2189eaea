"""How far the database's tables are from those that this release works with."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def lacking() -> list[str]:
    """Migrations of this release that the database has not yet had."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def of_another_release(applied: set[tuple[str, str]] | None = None) -> list[str]:
    """Those that the database has had, or a backup says so, and this release does not know."""
    loader = MigrationExecutor(connection).loader
    had = set(loader.applied_migrations) if applied is None else applied
    return sorted(
        f"{app}.{name}"
        for app, name in had
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    )


def applied() -> list[tuple[str, str]]:
    """What the database has had."""
    return sorted(MigrationExecutor(connection).loader.applied_migrations)
