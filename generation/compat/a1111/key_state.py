"""What A1111 keeps for the whole server is kept for each key here: its model, and what runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.cache import cache

from generation.compat.jobs import Job

CHOICE_S, RUNNING_S = 30 * 86_400, 900


def choose_model(key_id: int, title: str) -> None:
    """From now on for this key alone."""
    cache.set(f"a1111:model:{key_id}", title, CHOICE_S)


def chosen_model(key_id: int) -> str:
    """Empty for the default one."""
    return str(cache.get(f"a1111:model:{key_id}") or "")


def begun(job: Job, key_id: int) -> None:
    """So that its progress is told, and it can be interrupted, by the same key."""
    cache.set(f"a1111:running:{key_id}", [str(each) for each in job.ids], RUNNING_S)


def newest(key_id: int) -> list[UUID]:
    """The requests of what this key asked for last."""
    kept: list[Any] = cache.get(f"a1111:running:{key_id}") or []
    return [UUID(each) for each in kept]
