"""How the GPU benchmark asks the engine for pictures, and how it times them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from generation.engine.adapters.adapter_slots import FlatAdapter
from generation.engine.jobs import RenderJob
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop import pixels
from generation.engine.loop.denoiser import Denoiser
from generation.engine.loop.trajectory import Order, Trajectory

PROMPT = "a picture"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of picture: `limit_ms` is what the device could do at best (FLOPs at 800 TFLOP/s,
    decoding included), `must_ms` and `aim_ms` the targets."""

    name: str
    family: str
    side: int
    steps: int
    guidance: float
    limit_ms: float
    must_ms: float
    aim_ms: float


CASES = (
    Case("sd15_512_4_steps", "sd", 512, 4, 1.0, 7.2, 45, 25),
    Case("sd15_512_30_steps_guided", "sd", 512, 30, 7.0, 63, 400, 200),
    Case("sdxl_512_4_steps", "sdxl", 512, 4, 1.0, 11.1, 70, 45),
    Case("sdxl_1024_4_steps", "sdxl", 1024, 4, 1.0, 47, 150, 110),
    Case("sdxl_1024_30_steps_guided", "sdxl", 1024, 30, 7.0, 520, 1470, 1200),
    Case("flux_1024_4_steps", "flux", 1024, 4, 3.5, 385, 780, 650),
    Case("flux_1024_28_steps", "flux", 1024, 28, 3.5, 2620, 4500, 4000),
)


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


@dataclass(frozen=True, slots=True)
class Scale:
    """`side` overrides the cases' sides in a tiny run."""

    rounds: int = 5
    slots: int = 16
    ranks: tuple[int, ...] = (16, 64, 128)
    adapters: tuple[int, ...] = (1, 10, 100)
    side: int | None = None

    def job(self, case: Case, seed: int = 0, *, is_interactive: bool = False) -> RenderJob:
        side = self.side or case.side
        return RenderJob(
            PROMPT,
            "",
            case.steps,
            case.guidance,
            seed,
            side,
            side,
            side,
            is_interactive=is_interactive,
        )

    def repeat(self, action: Callable[[], object]) -> list[float]:
        """Milliseconds of each round, after two that compile, choose kernels and capture."""
        for _ in range(2):
            action()
        return [timed(action) for _ in range(self.rounds)]


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed(action: Callable[[], object]) -> float:
    """Milliseconds until the device is done with it."""
    synchronize()
    started = time.perf_counter()
    action()
    synchronize()
    return (time.perf_counter() - started) * 1000


def denoise(
    denoiser: Denoiser, jobs: Sequence[RenderJob], adapters: Sequence[FlatAdapter] = ()
) -> list[Trajectory]:
    """All jobs, from noise to final latents; job i wears adapter i where there are any."""
    for number, job in enumerate(jobs):
        denoiser.enqueue(Order(job, ((adapters[number], 1.0),) if adapters else ()))
    done: list[Trajectory] = []
    with torch.inference_mode():
        while not denoiser.is_idle:
            done += denoiser.step()
    if len(done) != len(jobs):
        raise RuntimeError(f"Only {len(done)} of {len(jobs)} pictures came to their last step.")
    return done


def render(
    denoiser: Denoiser, jobs: Sequence[RenderJob], adapters: Sequence[FlatAdapter] = ()
) -> None:
    """Noise to pixels, decoded together. Random weights may decode to no picture at all; that
    costs the same time."""
    done = denoise(denoiser, jobs, adapters)
    with torch.inference_mode():
        pixels.decode(denoiser.model, [t.latents for t in done], done[0].size)


def flats(model: LoadedModel, count: int, *, layers: str = "") -> list[FlatAdapter]:
    """Small random adapters of the network's layers whose names hold `layers`, as the shelf would
    hold them. Beyond the eighth they share memory under names of their own: copying them costs
    the same, and a hundred would take minutes to draw."""
    drawn = [_flat(model, seed=seed, layers=layers) for seed in range(min(count, 8))]
    return [
        FlatAdapter(f"a{n}", drawn[n % len(drawn)].parts, drawn[n % len(drawn)].layers)
        for n in range(count)
    ]


def _flat(model: LoadedModel, *, seed: int, layers: str) -> FlatAdapter:
    on_gpu = model.device.type == "cuda"
    generator = torch.Generator(model.device).manual_seed(seed)
    lora, *text = model.loras.values()
    changed = frozenset(name for name in lora.places if layers in name)
    weights = {
        name: (
            torch.empty(lora.rank, place.in_features, device=model.device, dtype=lora.dtype),
            torch.empty(place.out_features, lora.rank, device=model.device, dtype=lora.dtype),
        )
        for name, place in lora.places.items()
        if name in changed
    }
    for pair in weights.values():
        for weight in pair:
            weight.normal_(0, 0.01, generator=generator)
    parts = [lora.flatten(weights), *(torch.zeros(b.flat_size, dtype=b.dtype) for b in text)]
    if on_gpu:
        parts = [part.pin_memory() for part in parts]
    return FlatAdapter(f"a{seed}", tuple(parts), (changed, *(frozenset[str]() for _ in text)))
