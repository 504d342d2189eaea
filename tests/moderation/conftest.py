"""The room is tested as a house runs it: by the role that owns no table."""

import pytest
from django.db import connection

from provenance.database import privileges
from tests.rewriting import ROLE


@pytest.fixture(autouse=True)
def as_the_application(request: pytest.FixtureRequest) -> None:
    """Where the test has a transaction of its own, whose end takes the role back."""
    if "db" not in request.fixturenames:
        return
    request.getfixturevalue("db")
    if not connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        for statement in [*privileges.statements(ROLE), f"SET ROLE {ROLE}"]:
            cursor.execute(statement)
