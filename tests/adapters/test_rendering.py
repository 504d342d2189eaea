"""What an adapter does to a picture, through the engine that serves it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.base_models.architecture import layers_of_folder
from adapters.checks import inspection, rewrite
from adapters.checks.inspection import Base
from adapters.checks.rewrite import TensorSource
from adapters.formats.target_modules import Layout
from generation.engine.jobs import AdapterUse, RenderJob
from generation.engine.loop.engine import Engine
from tests import tiny_pipeline


@pytest.fixture(scope="module")
def engine(tiny_folder: Path) -> Engine:
    return Engine.load(tiny_folder, device="cpu")


@pytest.fixture(scope="module")
def adapter(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upload's canonical form."""
    folder = tmp_path_factory.mktemp("canonical")
    original = tiny_pipeline.build_adapter(folder / "original.safetensors", tiny_folder)
    base = Base("Tiny", Layout.of("sd15", layers_of_folder(tiny_folder)))
    found = inspection.inspect(original, base=base)
    assert found.header is not None
    source = TensorSource(original, found.header, found.modules)
    return rewrite.write(source, folder / "canonical.safetensors").path


def picture(engine: Engine, *adapters: AdapterUse) -> bytes:
    job = RenderJob("a red apple", "", 3, 5.0, 7, 32, 32, 32, adapters=adapters)
    rendered = engine.render(job, on_step=lambda step: None, should_stop=lambda: False)
    return np.ascontiguousarray(rendered.pixels).tobytes()


def test_weight_0_gives_the_picture_without_the_adapter_byte_for_byte(
    engine: Engine, adapter: Path
) -> None:
    bare = picture(engine)
    worn = picture(engine, AdapterUse("probe", adapter, 1.0))
    assert worn != bare
    assert picture(engine, AdapterUse("probe", adapter, 0.0)) == bare
    assert picture(engine, AdapterUse("probe", adapter, 1.0)) == worn
    assert picture(engine) == bare
