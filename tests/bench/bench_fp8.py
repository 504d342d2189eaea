"""What FP8 weights save, what they cost a forward on the CPU, and how far they move a picture.

    python -m tests.bench.bench_fp8

The starter model that ships, as in serving (eight prompts, 20 steps, 128 px), the tiny models of
every family, whose weights are random, and the plan of full-size SDXL and Flux for two rows in
bfloat16, without text encoders. Differences are grey levels of 255, means of a picture.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from generation.engine.families.flux import FLUX
from generation.engine.families.sdxl import SDXL
from generation.engine.families.stable_diffusion import STABLE_DIFFUSION
from generation.engine.jobs import RenderJob
from generation.engine.loading import loaded_model as models
from generation.engine.loading import memory_need, quantization
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loading.memory_need import GIB, ModelParts
from generation.engine.loading.quantization import AS_SAVED, FP8
from generation.engine.loop import pixels
from tests.bench import gpu_models, serving_tuning
from tests.bench.report import Row, publish
from tests.engine import tiny_models
from tests.engine.rendering import denoise

PROMPTS = (
    "a red apple", "a smiling cat", "a house", "a woman with dark skin", "a blue car", "a star",
    "a man with a beard", "a tree",
)  # fmt: skip
MIB = 2**20


def job(prompt: str, seed: int, *, side: int, steps: int) -> RenderJob:
    return RenderJob(prompt, "", steps, 4.0, seed, side, side, side)


def load(folder: Path, weights: str) -> LoadedModel:
    settings = Settings(weights=weights)
    return models.load(folder, settings=settings, device=torch.device("cpu"), dtype=torch.float32)


def draw(model: LoadedModel, jobs: Sequence[RenderJob]) -> NDArray[np.float64]:
    """[jobs, H, W, 3] in grey levels."""
    done = denoise(model, list(jobs))
    with torch.inference_mode():
        made = pixels.decode(model, [each.latents for each in done], done[0].size)
    return np.stack([np.asarray(picture, np.float64) for picture in made])


def weights_bytes(network: nn.Module) -> int:
    return sum(quantization.weight_bytes(p, torch.float32) for p in network.parameters())


def likeness(name: str, folder: Path, *, side: int, steps: int) -> list[Row]:
    """Of a model's pictures, and the sizes of its network."""
    plain, fp8 = load(folder, AS_SAVED), load(folder, FP8)
    jobs = [job(prompt, seed, side=side, steps=steps) for seed, prompt in enumerate(PROMPTS)]
    apart = draw(plain, jobs) - draw(fp8, jobs)
    means = np.abs(apart).mean(axis=(1, 2, 3))
    ratios = 10 * np.log10(255**2 / np.square(apart).mean(axis=(1, 2, 3)))
    sizes = [weights_bytes(model.network) / MIB for model in (plain, fp8)]
    return [
        Row(f"{name}_network_as_saved_mib", sizes[0], "MiB", against="float32"),
        Row(f"{name}_network_fp8_mib", sizes[1], "MiB", against="lossy"),
        _row(f"{name}_mean_difference", means, "levels", against="lossy; of 255"),
        _row(
            f"{name}_psnr",
            ratios,
            "dB",
            better="higher",
            against="lossy; the same picture as saved",
        ),
    ]


def _row(name: str, values: Any, unit: str, **more: Any) -> Row:
    numbers = [float(value) for value in values]
    return Row(name, median(numbers), unit, min(numbers), max(numbers), **more)


def forward_ratio(rounds: int) -> Row:
    """CPU time of one core, interleaved; above 1 FP8 is slower."""
    torch.set_num_threads(1)
    runs = [serving_tuning._forward(load(serving_tuning.FOLDER, each)) for each in (FP8, AS_SAVED)]
    ratios = []
    with torch.inference_mode():
        for number in range(rounds + 1):
            took = []
            for run in runs:
                began = time.thread_time()
                run()
                took.append(time.thread_time() - began)
            if number:
                ratios.append(took[0] / took[1])
    against = "as saved in float32, 8 rows of the starter model"
    return _row("starter_forward_fp8_vs_as_saved", ratios, "x", against=against)


def plans() -> list[Row]:
    with torch.device("meta"):
        pipes = {"sd15": gpu_models._sd(), "sdxl": gpu_models._sdxl(), "flux": gpu_models._flux()}
    families = {"sd15": STABLE_DIFFUSION, "sdxl": SDXL, "flux": FLUX}
    rows = []
    for name, pipe in pipes.items():
        family, side = families[name], 512 if name == "sd15" else 1024
        parts = ModelParts(family, getattr(pipe, family.network), pipe.vae, {}, [])
        for weights in (AS_SAVED, FP8):
            settings = Settings(batch_sizes=(1, 2), rank_ceiling=16, weights=weights)
            plan = memory_need.plan(
                parts, settings=settings, size=(side, side), dtype=torch.bfloat16
            )
            for part in ("weights", "total"):
                value = getattr(plan, part) / GIB
                rows.append(Row(f"{name}_{part}_{weights}_gib", value, "GiB", against=str(plan)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    rows = likeness("starter", serving_tuning.FOLDER, side=128, steps=20)
    rows.append(forward_ratio(options.rounds))
    with tempfile.TemporaryDirectory() as folder:
        for family in ("sd", "sdxl", "flux"):
            made = tiny_models.build(family, Path(folder) / family)
            rows += likeness(f"tiny_{family}", made, side=32, steps=4)
    publish("fp8", rows + plans())


if __name__ == "__main__":
    main()
