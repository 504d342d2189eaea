"""Where a running request is, with its last preview. Kept in the cache only, for a minute.

A preview is unmarked and unscreened, so it never touches storage, and views show it to nobody but
the owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache

from generation.models import GenerationRequest

LIFETIME_S = 60


@dataclass(frozen=True, slots=True)
class RenderProgress:
    """`preview` is a small WebP. `stage` is "denoise", "mark", "screen", "sign" or "store"."""

    stage: str
    step: int
    steps: int
    preview: bytes | None = None


def publish(request_id: UUID, progress: RenderProgress) -> None:
    """Replace what is known; a report without a preview leaves the last preview in place."""
    if progress.preview is not None:
        cache.set(_key(request_id, "preview"), progress.preview, LIFETIME_S)
    cache.set(_key(request_id, "step"), (progress.stage, progress.step, progress.steps), LIFETIME_S)


def tell(request: GenerationRequest, progress: RenderProgress) -> None:
    """The request's own page; the live page waits for the picture alone."""
    if not request.is_live:
        publish(request.id, progress)


def read(request_id: UUID) -> RenderProgress | None:
    """The last report, or None when the request is not running (or the cache lost it)."""
    found = cache.get_many([_key(request_id, "step"), _key(request_id, "preview")])
    step = found.get(_key(request_id, "step"))
    if step is None:
        return None
    stage, done, steps = step
    return RenderProgress(stage, done, steps, preview=found.get(_key(request_id, "preview")))


def forget(request_id: UUID) -> None:
    """Drops report and preview once a request is through, before their minute is over."""
    cache.delete_many([_key(request_id, "step"), _key(request_id, "preview")])


def _key(request_id: UUID, part: str) -> str:
    return f"generation:{request_id}:{part}"
