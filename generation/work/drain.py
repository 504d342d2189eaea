"""A worker that is told to stop: it takes nothing more, and what it cannot finish in time goes back
into the line, with what was published of it kept and no attempt spent.
"""

from __future__ import annotations

from time import monotonic

from django.conf import settings

MARGIN_S = 5.0
"""Of the time to stop, for what was rendered to be marked, screened, signed and stored."""


class Drain:
    """Begun once, by the signal that ends the process: so it takes no lock and starts no thread."""

    def __init__(self) -> None:
        self._hands_back_at_s: float | None = None

    def begin(self) -> None:
        """Rendering goes on for DRAIN_SECONDS less a margin, and is then handed back."""
        renders_for_s = max(0.0, settings.PROOFSHEET_DRAIN_SECONDS - MARGIN_S)
        self._hands_back_at_s = self._hands_back_at_s or monotonic() + renders_for_s

    @property
    def is_begun(self) -> bool:
        return self._hands_back_at_s is not None

    @property
    def is_over(self) -> bool:
        """Whether no rendering goes on any more."""
        return self._hands_back_at_s is not None and monotonic() >= self._hands_back_at_s


drain = Drain()
