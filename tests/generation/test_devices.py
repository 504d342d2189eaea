"""Models that a worker loads and drops."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from adapters.models import BaseModel
from generation.hardware import devices
from tests.engine.rendering import job


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_a_model_that_makes_room_gives_its_memory_back(
    tiny: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "MODELS_CEILING", 1)
    engine = devices.engine_for(tiny)
    engine.render(job(), on_step=lambda _: None, should_stop=lambda: False)
    weights = weakref.ref(next(engine.model.network.parameters()))
    del engine
    gc.collect()
    gc.freeze()  # as a worker does before its first ticket
    tiny.digest = "another model in the same folder"
    devices.engine_for(tiny)
    assert weights() is None
