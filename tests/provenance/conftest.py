"""Marked pictures, as the worker makes them: embedded, sealed, recorded and put into the log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from provenance import log, marking
from provenance.models import Asset
from tests.provenance.pictures import photograph

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SYSTEM = marking.SystemInfo("Proofsheet", "0.1.0", "starter")


@dataclass(frozen=True)
class Marked:
    """A marked picture: its pixels, its signed file, and its record where it has one."""

    id: UUID
    pixels: NDArray[np.uint8]
    sealed: marking.SealedImage
    asset: Asset | None


def seal(pixels: NDArray[np.uint8]) -> Marked:
    asset_id = uuid4()
    marked = marking.embed(pixels, asset_id=asset_id)
    sealed = marking.seal(marked, asset_id=asset_id, created_at=NOW, system=SYSTEM)
    return Marked(asset_id, marked.pixels, sealed, None)


def record(marked: Marked) -> Marked:
    asset = marking.record(marked.sealed, asset_id=marked.id, owner_pseudonym="p", at=NOW)
    return Marked(marked.id, marked.pixels, marked.sealed, asset)


@pytest.fixture
def mark(db: None) -> Callable[[NDArray[np.uint8]], Marked]:
    """`mark(pixels)`: marked, recorded, and in the log's signed tree."""

    def make(pixels: NDArray[np.uint8]) -> Marked:
        marked = record(seal(pixels))
        log.sequence(at=NOW)
        return marked

    return make


@pytest.fixture
def astronaut(mark: Callable[[NDArray[np.uint8]], Marked]) -> Marked:
    return mark(photograph("astronaut"))
