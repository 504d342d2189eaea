"""The API against its own documentation, with every role's key: `make test-schema`.

Schemathesis sends what the schema allows and what it forbids, and checks each answer's status, type
and shape. Not among the usual tests, as it takes minutes; the seed is fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import pytest
import schemathesis
from django.contrib.auth.models import Group, User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck
from hypothesis import settings as bounds

from tests.factories import make_key, make_model

EXAMPLES = 4  # generated for each operation and role
# The coverage phase sends each boundary of each parameter: to strangers, and to who may do most.
COVERED = ["", "carol"]
OTHERS = ["mallory", "alice", "bob", "dora", "olga"]
REFUSED = ["400", "401", "403", "404", "406", "409", "410", "413", "415", "422", "428", "429"]


def config(*, has_coverage: bool) -> schemathesis.Config:
    return schemathesis.Config.from_dict(
        {
            "seed": 15,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            "phases": {"coverage": {"enabled": has_coverage}},
            "checks": {
                # What is well-formed may still not exist, or be refused by the domain.
                "positive_data_acceptance": {"expected-statuses": ["2xx", "503", *REFUSED]},
                "negative_data_rejection": {"expected-statuses": REFUSED},
            },
        }
    )


class Documented(Protocol):
    """A schema of schemathesis, as far as it has types."""

    def parametrize(self) -> Callable[[Callable[..., None]], Callable[..., None]]: ...


def documented(*, has_coverage: bool) -> Documented:
    schema = schemathesis.openapi.from_path(
        "docs/integrate/openapi.yaml", config=config(has_coverage=has_coverage)
    )
    schema.app = get_wsgi_application()
    return cast(Documented, schema)


for each in (request_started, request_finished):
    each.disconnect(close_old_connections)  # as Django's test client: the test's transaction stays


def credential_of(user: User) -> dict[str, str]:
    """What a program of that person sends with each request."""
    return {"Authorization": f"Bearer {make_key(user)}"}


def headers_of(name: str, request: pytest.FixtureRequest) -> dict[str, str]:
    make_model()
    return credential_of(request.getfixturevalue(name)) if name else {}


@pytest.fixture(params=COVERED)
def covered(request: pytest.FixtureRequest, roles: dict[str, Group]) -> dict[str, str]:
    return headers_of(request.param, request)


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest, roles: dict[str, Group]) -> dict[str, str]:
    return headers_of(request.param, request)


in_full, in_brief = documented(has_coverage=True), documented(has_coverage=False)
bounded = bounds(deadline=None, suppress_health_check=list(HealthCheck))


@in_full.parametrize()
@bounded
def test_every_boundary_is_answered_as_documented(
    case: schemathesis.Case[Any], covered: dict[str, str]
) -> None:
    case.call_and_validate(headers=covered)


@in_brief.parametrize()
@bounded
def test_every_role_is_answered_as_documented(
    case: schemathesis.Case[Any], other: dict[str, str]
) -> None:
    case.call_and_validate(headers=other)
