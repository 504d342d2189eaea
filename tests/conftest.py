"""The cast of STYLE.md: alice submits, bob reviews, carol hears appeals, dora exports, mallory
is a stranger, olga operates."""

from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client, TransactionTestCase
from xdist.scheduler import LoadScopeScheduling

from config.accounts.roles.role_permissions import ROLES, give_permissions
from provenance.database import privileges, record_rules
from tests import depth as depth

MIGRATED = "migrated"
"""A copy of the database as migrations leave it: a house in the browser starts from it in a
fraction of a second, where every migration once more takes eight."""


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[None]:
    """Let Django's flush empty the tables of evidence between transactional tests; UPDATE and
    DELETE stay refused, and tests switch the TRUNCATE triggers on again where they test them."""
    name = str(connection.settings_dict["NAME"])
    if f"/{name}" == urlsplit(settings.DATABASE_URL).path:
        yield  # no test that runs asks for tables
        return
    if any("browser" in item.keywords for item in request.session.items):
        with django_db_blocker.unblock():
            connection.close()  # PostgreSQL copies what nobody is connected to
            connection.close_pool()  # type: ignore[attr-defined] # PostgreSQL's has one
            _copy(name)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        give_permissions()
        cursor.execute("CREATE SCHEMA kept")
        for table in _OF_ROLES:
            cursor.execute(f"CREATE TABLE kept.{table} AS TABLE {table}")
        for table in ("logentry", "leaf", "node", "checkpoint"):
            cursor.execute(f"ALTER TABLE provenance_{table} DISABLE TRIGGER {table}_no_truncate")
        for table in record_rules.evidence():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {privileges.WHOLE}")
    yield
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
        admin.execute(  # of threads that outlive their tests: the database could not be dropped
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


def _copy(name: str) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE {MIGRATED} TEMPLATE "{name}"')


_OF_ROLES = ("auth_group", "auth_group_permissions")
"""Filled once, and again from a copy after a test that empties the tables: to give every role its
permissions anew takes longer than many a test, and most begin with a person who has one."""
_KEPT = ("django_migrations", "django_content_type", "auth_permission")


@cache
def _tables() -> list[str]:
    return [name for name in connection.introspection.django_table_names() if name not in _KEPT]


def _empty_what_was_filled(self: TransactionTestCase) -> None:
    """After a test with transactions of its own. Django's flush empties all hundred tables and
    then makes every content type and permission anew, which takes longer than many a test."""
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in _tables()
            )
        )
        if filled := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
        for table in _OF_ROLES:
            if table in filled:
                cursor.execute(f"INSERT INTO {table} TABLE kept.{table}")


TransactionTestCase._fixture_teardown = _empty_what_was_filled  # type: ignore[attr-defined]


@pytest.fixture
def roles(db: None) -> dict[str, Group]:
    return {group.name: group for group in Group.objects.all()}


def _user(name: str, roles: dict[str, Group]) -> User:
    user = User.objects.create_user(name, f"{name}@example.org", "a long test password")
    user.groups.set([roles[group] for group in ROLES.get(name, ())])
    user.is_staff = name == "olga"
    user.save()
    return user


@pytest.fixture
def alice(roles: dict[str, Group]) -> User:
    return _user("alice", roles)


@pytest.fixture
def bob(roles: dict[str, Group]) -> User:
    return _user("bob", roles)


@pytest.fixture
def carol(roles: dict[str, Group]) -> User:
    return _user("carol", roles)


@pytest.fixture
def dora(roles: dict[str, Group]) -> User:
    return _user("dora", roles)


@pytest.fixture
def olga(roles: dict[str, Group]) -> User:
    return _user("olga", roles)


@pytest.fixture
def mallory(roles: dict[str, Group]) -> User:
    return _user("mallory", roles)


@pytest.fixture
def as_user() -> object:
    """`as_user(bob).get(...)`: a client logged in as that user."""

    def login(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return login


# What takes longest begins first, so that no process is left with it alone at the end.
_LONG = (
    "browser",
    "house/test_run.py",
    "generation/test_outages.py",
    "generation/test_crash.py",
    "house/test_unchanged.py",
    "engine/test_tuning.py",
    "starter/test_training.py",
    "generation/test_memory_plans.py",
    "engine/test_fp8.py",
)


def _group(nodeid: str) -> str:
    """Which tests stay together in one process: a file's, and all that drive one running house."""
    path = nodeid.split("::")[0].removeprefix("tests/")
    return "browser" if path.startswith("browser/") else path


class _InGroups(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """pytest-xdist's own `loadgroup` writes where pytest 9 no longer reads."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _InGroups(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    _leave_out_what_needs_a_gpu(config, items)
    yield  # pytest-randomly shuffles
    rank = {group: number for number, group in enumerate(_LONG)}
    items.sort(key=lambda item: rank.get(_group(item.nodeid), len(rank)))


def _leave_out_what_needs_a_gpu(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where there is none, there is nothing that it could test."""
    asking = [item for item in items if "gpu" in item.keywords]
    if not asking:
        return
    import torch  # a second and more, and absent where the web's tests run without it

    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=asking)
        items[:] = [item for item in items if item not in asking]
