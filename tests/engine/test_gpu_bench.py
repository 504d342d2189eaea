"""The GPU benchmark must run the first time that it meets a GPU."""

from pathlib import Path

import pytest
import torch

from tests.bench import bench_gpu, gpu_models

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def test_every_row_is_measured_on_tiny_models_of_each_family(tmp_path: Path) -> None:
    rows = bench_gpu.tiny_rows(tmp_path)
    names = {row.name for row in rows}
    assert {"sd15_512_4_steps_ms", "sdxl_1024_4_steps_ms", "flux_1024_4_steps_ms"} <= names
    assert {"sd15_512_4_steps_fp8_ms", "flux_1024_4_steps_fp8_ms"} <= names
    assert len([name for name in names if name.endswith("_overhead")]) == 2 * 3
    for row in rows:
        if row.name.endswith(("_steps_ms", "_fp8_ms")):
            assert ("lossy" in row.against) is ("_fp8" in row.name), row.name
            assert (row.must is None) is ("_fp8" in row.name), row.name
    assert all(row.value > 0 for row in rows if row.unit == "ms")


def test_the_full_size_models_have_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        unets = {"sd": gpu_models._sd().unet, "sdxl": gpu_models._sdxl().unet}
        flux = gpu_models._flux().transformer
    counts = {name: sum(p.numel() for p in unet.parameters()) for name, unet in unets.items()}
    assert counts["sd"] == 859_520_964
    assert counts["sdxl"] == 2_567_463_684
    assert 11.8e9 < sum(p.numel() for p in flux.parameters()) < 12e9
