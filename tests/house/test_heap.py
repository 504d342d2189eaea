"""A full collection does not walk through what a process loaded for good."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from config.runtime import gc_tuning


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_a_full_collection_leaves_out_what_was_loaded_before() -> None:
    before = len(gc.get_objects())
    gc_tuning.settle()
    assert len(gc.get_objects()) < before / 10


def test_garbage_of_later_is_collected_all_the_same() -> None:
    gc_tuning.settle()
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() > 0
