"""The reference implementation of Standard Webhooks."""

from typing import Any

import standardwebhooks
from loop import serve


def verify(body: str, headers: dict[str, str], secret: str) -> dict[str, Any]:
    said: Any = standardwebhooks.Webhook(secret).verify(body, headers)
    return {"type": said["type"]}


serve({"verify": verify}, lambda error: {"shown": str(error)})
