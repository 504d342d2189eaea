"""Full-size models on one CUDA device: latencies, throughput, adapters and the wait of interactive
pictures, beside the computed limit (FLOPs at 800 TFLOP/s, decoding included) and diffusers' own
pipeline in the same run. Rows with `fp8` in their name are lossy.

    python -m tests.bench.bench_gpu --rounds 5
    python -m tests.bench.bench_gpu --only sdxl

`--tiny` walks the same lines with tiny models on any device and publishes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from generation.engine.loading import quantization
from generation.engine.loading.loaded_model import Settings
from generation.engine.loop.engine import GPU_BATCH_SIZES
from tests.bench import gpu_measures, gpu_models
from tests.bench.gpu_measures import Bench
from tests.bench.gpu_runs import Scale
from tests.bench.report import Row, print_table, publish
from tests.engine import tiny_models

FAMILIES = ("sd", "sdxl", "flux")
TINY = Scale(rounds=1, slots=8, ranks=(4, 6), adapters=(1, 3), side=32)


def settings(scale: Scale, **said: Any) -> Settings:
    """As a house on a GPU serves, with `ENGINE_COMPILED_BY=inductor` unless said otherwise."""
    usual: dict[str, Any] = {
        "batch_sizes": GPU_BATCH_SIZES,
        "adapter_slots": scale.slots,
        "rank_ceiling": scale.ranks[0],
        "is_channels_last": True,
        "has_cuda_graphs": True,
    }
    return Settings(**(usual | said))


def measure(bench: Bench, family: str, compiled_by: str) -> list[Row]:
    """All rows of one family."""
    scale = bench.scale
    tuned = settings(scale, compiled_by=compiled_by)
    kinds = {
        "plain": settings(scale, is_channels_last=False, has_cuda_graphs=False),
        "channels_last": settings(scale, has_cuda_graphs=False),
        "cuda_graphs": settings(scale),
    }
    if compiled_by:
        kinds["compiled"] = settings(scale, compiled_by=compiled_by, has_cuda_graphs=False)
        kinds["compiled_cuda_graphs"] = tuned
    gpu_measures.tuning(bench, family, kinds)
    if family == "sdxl":
        gpu_measures.decoding(bench, family)
    gpu_measures.latencies(bench, family, tuned)
    gpu_measures.batching(bench, family, tuned)
    if family == "sdxl":
        gpu_measures.interactive(bench, tuned)
    for rank in scale.ranks if family == "sdxl" else scale.ranks[:1]:
        worn = settings(scale, compiled_by=compiled_by, rank_ceiling=rank)
        gpu_measures.adapters(bench, family, worn)
    for weights in quantization.QUANTISED:
        if bench.can_multiply(weights):
            lossy = settings(scale, compiled_by=compiled_by, weights=weights)
            gpu_measures.latencies(bench, family, lossy)
    return bench.rows


def tiny_rows(folder: Path) -> list[Row]:
    """Every line of the benchmark on tiny models and whatever device there is."""
    import diffusers

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def build(family: str) -> Any:
        loaded: Any = diffusers.DiffusionPipeline
        pipe = loaded.from_pretrained(
            tiny_models.build(family, folder / family), dtype=gpu_measures.dtype_on(device)
        )
        return pipe.to(device)

    bench = Bench(build, TINY, device)
    for family in FAMILIES:
        measure(bench, family, "inductor" if device.type == "cuda" else "")
    return bench.rows


def full_rows(scale: Scale, families: Sequence[str], compiled_by: str) -> None:
    """A run that is cut off still publishes what it had measured."""
    device = torch.device("cuda")
    bench = Bench(lambda name: gpu_models.build(name, device, torch.bfloat16), scale, device)
    try:
        for family in families:
            measure(bench, family, compiled_by)
    finally:
        path = publish("gpu", bench.rows, keeps_others=True)
        report = json.loads(path.read_text())
        report["machine"]["accelerator"] = torch.cuda.get_device_name()
        report["machine"]["torch"] = torch.__version__
        path.write_text(json.dumps(report, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=FAMILIES, nargs="*", default=FAMILIES)
    parser.add_argument("--compiled-by", default="inductor", help='"" for no compiling')
    parser.add_argument("--tiny", type=Path, help="a folder for tiny models; publishes nothing")
    options = parser.parse_args()
    if options.tiny:
        print_table(tiny_rows(options.tiny))
        return
    if not torch.cuda.is_available():
        raise SystemExit("This benchmark needs a CUDA device; --tiny FOLDER tries it without one.")
    full_rows(Scale(rounds=options.rounds), options.only, options.compiled_by)


if __name__ == "__main__":
    main()
