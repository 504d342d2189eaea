"""What is tested here needs no server, no socket and no Django: `pytest tests/pure` starts none.

That run reads the pytest.ini beside this file alone. In a run of everything Django is there for
the others, and the fixture still refuses what a pure test has no use for.
"""

import sys

import pytest

from tests import depth as depth

for name in ("django", "rest_framework", "celery", "psycopg", "redis"):
    sys.modules.setdefault(name, None)  # type: ignore[arg-type] # makes its import fail, if first
# jsonschema goes without it where it is missing; its import alone compiles a grammar for seconds.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # likewise


@pytest.fixture(autouse=True)
def _alone(request: pytest.FixtureRequest, socket_disabled: None) -> None:
    if {"db", "transactional_db", "client", "settings"} & set(request.fixturenames):
        pytest.fail("A test that needs the database or Django has its place in its room's folder.")
