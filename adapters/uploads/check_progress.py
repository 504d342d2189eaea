"""How far a check has come, told in the cache for its owner's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.cache import cache

from adapters.checks.weight_scan import Progress

PROGRESS_SECONDS = 120  # after so long without a word a check counts as lost


def read(adapter_id: UUID) -> dict[str, Any] | None:
    """{"stage", "done", "total"} of a running check, or None."""
    told: dict[str, Any] | None = cache.get(_key(adapter_id))
    return told


def teller(adapter_id: UUID, stage: str) -> Progress:
    """Reports at most a hundred times, whatever the number of tensors."""
    last = -1

    def tell(done: int, total: int) -> None:
        nonlocal last
        percent = 100 * done // total if total else 100
        if percent > last:
            last = percent
            tell_stage(adapter_id, stage, done, total)

    return tell


def tell_stage(adapter_id: UUID, stage: str, done: int, total: int) -> None:
    """Told as begun, or again while it goes on."""
    told = {"stage": stage, "done": done, "total": total}
    cache.set(_key(adapter_id), told, PROGRESS_SECONDS)


def end(adapter_id: UUID) -> None:
    """Nothing is told any longer."""
    cache.delete(_key(adapter_id))


def _key(adapter_id: UUID) -> str:
    return f"adapters:check:{adapter_id}"
