"""Signs a webhook by hand, as Standard Webhooks 1.0.0 says (symmetric)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime


def signed(body: str, *, at: datetime, secret: str = "") -> tuple[str, dict[str, str]]:
    """The secret, new unless it is given, and the headers; a retired secret's and a foreign
    signature stand beside the good one."""
    secret = secret or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    message_id, sent_at = f"msg_{secrets.token_hex(8)}", str(int(at.timestamp()))
    text = f"{message_id}.{sent_at}.{body}".encode()
    keys = (secrets.token_bytes(32), base64.b64decode(secret.removeprefix("whsec_")))
    given = [base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()) for key in keys]
    foreign = f"v1a,{base64.b64encode(secrets.token_bytes(64)).decode()}"
    return secret, {
        "webhook-id": message_id,
        "webhook-timestamp": sent_at,
        "webhook-signature": " ".join([*(f"v1,{each.decode()}" for each in given), foreign]),
    }
