"""What docs/integrate/webhooks.md has people copy works, and its table is the one in the code."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from django.conf import settings
from standardwebhooks import WebhookVerificationError

from config.core.outbox.event_types import EVENT_TYPES
from config.webhooks.standard import signatures

PAGE = (settings.ROOT / "docs/integrate/webhooks.md").read_text()
SHARED, PAIR = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
BODY = b'{"type":"appeal.decided"}'


def copied(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "webhooks.md", "exec"), names)
    return names


def test_the_table_of_events_is_the_one_in_the_code() -> None:
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.+?) \|$", PAGE, re.MULTILINE))
    assert rows == EVENT_TYPES


def test_the_secret_s_snippet_verifies() -> None:
    key = signatures.new_key("v1")
    told = signatures.headers("evt_1", BODY, keys=[key], at=datetime.now(UTC))
    receive = copied(SHARED)["receive"]
    assert receive(key.told, told, BODY) == {"type": "appeal.decided"}
    with pytest.raises(WebhookVerificationError):
        receive(key.told, told, BODY + b" ")


def test_the_key_pair_s_snippet_verifies() -> None:
    key = signatures.new_key("v1a")
    told = signatures.headers("evt_1", BODY, keys=[key], at=datetime.now(UTC))
    verify = copied(PAIR)["verify"]
    verify(key.told, told, BODY)
    with pytest.raises(InvalidSignature):
        verify(key.told, told, BODY + b" ")
    forged = told | {"webhook-signature": "v1," + base64.b64encode(b"x").decode()}
    with pytest.raises(ValueError, match="no v1a"):
        verify(key.told, forged, BODY)
