"""A limit that time lifts."""

from __future__ import annotations

import math

from config.core.errors import ProofsheetError


class TooMuch(ProofsheetError):
    """A limit that time lifts. `retry_after_s` says when."""

    default_status = 429

    def __init__(self, *, retry_after_s: float, message: str | None = None) -> None:
        self.retry_after_s = max(1, math.ceil(retry_after_s))
        super().__init__(message=message)
