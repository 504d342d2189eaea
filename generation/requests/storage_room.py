"""Whether there is room to keep a picture: asked before one is let in, and before one is drawn.

A folder of this host says so itself. A quota, or a store behind a network, tells it only to whoever
writes: that is noted for the others, and forgotten soon, so that somebody tries again.
"""

from __future__ import annotations

import platform
import shutil
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from config.core.disk_full import StorageFull
from config.core.errors import ProofsheetError
from config.core.storage import StorageAway, private_storage
from config.core.ttl_cache import remembered
from generation.models import Occurrence

FULL, AWAY = "storage_full", "storage_away"
FULL_HERE = f"no_room@{sha256(platform.node().encode()).hexdigest()[:16]}"
BELIEVED_FOR = timedelta(seconds=30)


def note(error: ProofsheetError, *, at: datetime) -> None:
    """Somebody found no room to write, reached no storage, or ran out of room on this host."""
    told = {StorageFull: FULL, StorageAway: AWAY}
    name = next((told[kind] for kind in told if isinstance(error, kind)), FULL_HERE)
    Occurrence.objects.update_or_create(name=name, defaults={"at": at})


def is_away(*, at: datetime) -> bool:
    """Whether what is drawn now, or on this host, could not be kept; submissions are let in, and
    wait."""
    return _was_noted(AWAY, at=at) or _was_noted(FULL_HERE, at=at)


def is_full(*, at: datetime) -> bool:
    """Whether nothing should be drawn now."""
    if free_bytes() < settings.PROOFSHEET_STORAGE_FREE_MIN_MB * 1024 * 1024:
        return True
    return _was_noted(FULL, at=at)


@remembered
def _was_noted(name: str, *, at: datetime) -> bool:
    return Occurrence.objects.filter(name=name, at__gt=at - BELIEVED_FOR).exists()


def require(*, at: datetime) -> None:
    """Raises StorageFull."""
    if is_full(at=at):
        raise StorageFull(
            message="There is no room left to keep pictures, so none is taken on now.",
            advice="Try again later; what was accepted before is made as soon as there is room.",
        )


def free_bytes() -> float:
    """Of the folder that pictures lie in; no bound where they lie behind a network."""
    try:
        folder = Path(private_storage().path(""))
    except NotImplementedError:  # how Django's storages say that they have no folder
        return float("inf")
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free
