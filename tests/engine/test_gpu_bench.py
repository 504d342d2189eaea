"""The GPU benchmark must run the first time that it meets a GPU."""

from pathlib import Path

import pytest
import torch

from tests.bench import bench_gpu, gpu_models
from tests.bench.gpu_runs import CASES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


@pytest.mark.slow
def test_every_row_is_measured_on_tiny_models_of_each_family(tmp_path: Path) -> None:
    rows = {row.name: row for row in bench_gpu.tiny_rows(tmp_path)}
    for case in CASES:
        assert rows[f"{case.name}_ms"].must == case.must_ms
        assert rows[f"{case.name}_vs_diffusers"].value > 0
        assert rows[f"{case.name}_difference"].value < 0.01  # %, in float32
    for family in ("sd", "sdxl", "flux"):
        assert any(n.startswith(f"{family}_slot_install_rank_4") for n in rows)
        assert f"{family}_rank_4_overhead_1" in rows
    assert rows["sdxl_slot_install_rank_4_ms"].value < rows["sdxl_diffusers_load_rank_4_ms"].value
    assert {"sdxl_slot_install_rank_6_ms", "sdxl_512_4_steps_3_adapters_vs_1"} <= rows.keys()
    assert {"interactive_p95_beside_long_ms", "sdxl_decoding_wide_norms_ms"} <= rows.keys()
    assert rows["flux_1024_28_steps_fp8_ms"].must is not None
    for name, row in rows.items():
        if name.endswith("_ms"):
            assert row.value > 0
            assert ("lossy" in row.against) is ("_fp8" in name or "small" in name), name


def test_the_full_size_models_have_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        unets = {"sd": gpu_models._sd().unet, "sdxl": gpu_models._sdxl().unet}
        flux = gpu_models._flux().transformer
    counts = {name: sum(p.numel() for p in unet.parameters()) for name, unet in unets.items()}
    assert counts["sd"] == 859_520_964
    assert counts["sdxl"] == 2_567_463_684
    assert 11.8e9 < sum(p.numel() for p in flux.parameters()) < 12e9
