"""Checks that a message came from the house (Standard Webhooks 1.0.0, symmetric signatures)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proofsheet.errors import WebhookRejected

TOLERANCE_S = 300


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is the same when it is sent again: act on each once."""

    id: str
    type: str
    timestamp: str
    data: Mapping[str, Any]


def check_webhook(
    body: bytes, headers: Mapping[str, str], secret: str, *, now_s: float | None = None
) -> Event:
    """The event in `body`, the bytes as they came. `secret` is the endpoint's, `whsec_…`.

    Raises WebhookRejected for one that is not signed with it, or not sent within five minutes.
    """
    named = {name.lower(): value for name, value in headers.items()}
    of = (named.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    message_id, sent_at, signatures = of
    if not sent_at.isdecimal() or abs((now_s or time.time()) - int(sent_at)) > TOLERANCE_S:
        raise WebhookRejected("The message has no time, or an old one.", "webhook_old")
    signed = f"{message_id}.{sent_at}.".encode() + body
    expected = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
    given = [each[3:].encode() for each in signatures.split() if each.startswith("v1,")]
    if not any(hmac.compare_digest(expected, each) for each in given):
        raise WebhookRejected("No signature of the message is good.", "webhook_unsigned")
    said = json.loads(body)
    return Event(message_id, said["type"], said["timestamp"], said["data"])


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        advice = "It begins with whsec_."
        raise WebhookRejected("The secret is not base64.", "webhook_secret", advice) from error
