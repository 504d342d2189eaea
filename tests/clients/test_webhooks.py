"""A message that is signed as Standard Webhooks says is taken by everybody who implements it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.clients.conftest import Driver
from tests.clients.signing import signed

pytestmark = pytest.mark.clients
BODY = '{"type":"generation.refused","timestamp":"2026-11-29T12:00:00Z","data":{"id":"x"}}'
CALLS = {
    "standardwebhooks (PyPI)": ("webhooks_python", "verify"),
    "standardwebhooks (npm)": ("webhooks_node", "verify"),
    "openai-python": ("openai_python", "unwrap"),
    "openai-node": ("openai_node", "unwrap"),
    "our own": ("own_client", "webhook"),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_is_taken_and_one_byte_more_is_not(
    name: str, python_driver: Callable[..., Driver], node_driver: Callable[..., Driver]
) -> None:
    driver, call = CALLS[name]
    if driver.endswith("_node"):
        client = node_driver(driver)
    else:
        client = python_driver(driver, "own" if driver == "own_client" else "today")
    secret, headers = signed(BODY, at=datetime.now(UTC))
    assert client(call, body=BODY, headers=headers, secret=secret)["type"] == "generation.refused"
    assert client(call, body=BODY + " ", headers=headers, secret=secret)["ok"] is False
    _, old = signed(BODY, at=datetime(2026, 1, 1, tzinfo=UTC), secret=secret)
    assert client(call, body=BODY, headers=old, secret=secret)["ok"] is False
