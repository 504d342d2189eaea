"""What compiling, memory layout and fused attention gain on the CPU: the starter model's forward.

Milliseconds of the thread's own CPU time, one core, interleaved rounds: other processes on the
machine take no part in them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from generation.engine.loading import loaded_model as models
from generation.engine.loading.loaded_model import LoadedModel, Settings
from tests.bench.report import ROOT, Row

FOLDER = ROOT / "generation" / "starter" / "model"
TUNINGS: dict[str, dict[str, Any]] = {
    "compiled": {"compiled_by": "inductor"},
    "channels_last": {"is_channels_last": True},
    "fused_attention": {"has_fused_attention": True},
}
ROWS = 8
PLAIN = "plain, 8 rows at 16x16 latents; above 1 is a gain"


def rows(rounds: int) -> list[Row]:
    torch.set_num_threads(1)
    plain = _load(has_fused_attention=False)
    tuned = {name: _load(**{"has_fused_attention": False} | said) for name, said in TUNINGS.items()}
    runs = {"plain": _forward(plain)} | {name: _forward(model) for name, model in tuned.items()}
    runs |= {
        "plain_decoding": _decoding(plain),
        "decoding_channels_last": _decoding(tuned["channels_last"]),
    }
    with torch.inference_mode():
        for run in runs.values():
            run()  # compiles
        took = [{name: _cpu_ms(run) for name, run in runs.items()} for _ in range(3 * rounds)]
    made = [_ratio(f"forward_{name}_vs_plain", took, "plain", name) for name in TUNINGS]
    return [
        *made,
        _ratio("decoding_channels_last_vs_plain", took, "plain_decoding", "decoding_channels_last"),
    ]


def _load(**said: Any) -> LoadedModel:
    settings = Settings(**said)
    return models.load(FOLDER, settings=settings, device=torch.device("cpu"), dtype=torch.float32)


def _forward(model: LoadedModel) -> Callable[[], object]:
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(ROWS, 16, 16, 16, generator=generator)
    timesteps = torch.linspace(1, 999, ROWS)
    [row] = [model.family.encode(model.pipe, ["a red apple"])]
    conditioning = {name: tensor.repeat(ROWS, 1, 1) for name, tensor in row.items()}

    def run() -> object:
        with model.attention():
            return model.family.call(model.network, latents, timesteps, conditioning, {})

    return run


def _decoding(model: LoadedModel) -> Callable[[], object]:
    latents = torch.randn(1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    return lambda: model.pipe.vae.decode(latents)


def _cpu_ms(run: Callable[[], object]) -> float:
    began = time.thread_time()
    run()
    return (time.thread_time() - began) * 1000


def _ratio(name: str, took: list[dict[str, float]], plain: str, tuned: str) -> Row:
    ratios = [one[plain] / one[tuned] for one in took]
    against = PLAIN if "decoding" not in name else "plain, one picture of 128 px; above 1 is a gain"
    return Row(
        name, round(median(ratios), 3), "x", min(ratios), max(ratios), "higher", against=against
    )
