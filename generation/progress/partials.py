"""Partial pictures that a program asked to see while its request runs. Kept in the cache only.

They are marked and have passed the screening of pictures before they are put here, so they may go
to whoever asked through the program (the studio's previews are neither, and are its owner's alone).
"""

from __future__ import annotations

from uuid import UUID

from django.core.cache import cache

from generation.progress import wakes

LIFETIME_S = 900
MOST = 3


def want(request_id: UUID, count: int) -> None:
    """Ask for up to `count`; said right after the submission, before anything is drawn."""
    cache.set(_key(request_id, "wanted"), count, LIFETIME_S)


def wanted(request_id: UUID) -> int:
    """How many are still to be made."""
    said: int = cache.get(_key(request_id, "wanted")) or 0
    return said


def keep(request_id: UUID, index: int, png: bytes) -> None:
    """The one at that place, counted from 0, and tell who waits."""
    cache.set(_key(request_id, index), png, LIFETIME_S)
    wakes.tell(request_id)


def since(request_id: UUID, index: int) -> list[bytes]:
    """Those from that place on, PNG."""
    keys = [_key(request_id, place) for place in range(index, MOST)]
    found = cache.get_many(keys)
    return [found[key] for key in keys if key in found]


def _key(request_id: UUID, part: str | int) -> str:
    return f"generation:{request_id}:partial:{part}"
