"""Full-size models on one CUDA device, eager bf16: latencies, throughput, adapters, and how far
each is from the computed limit (FLOPs at 800 TFLOP/s, VAE included). Then the same with the weights
of the networks' linears in FP8, in rows of their own that are labelled lossy.

    python -m tests.bench.bench_gpu --rounds 5

`--tiny` walks the same lines with tiny models on any device and publishes nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import torch

from generation.engine import pixels, quantization
from generation.engine.denoiser import Denoiser
from generation.engine.engine import GPU_BATCH_SIZES
from generation.engine.jobs import RenderJob
from generation.engine.model import Model, Settings, assemble
from generation.engine.quantization import FP8
from generation.engine.slots import FlatAdapter, Slots
from generation.engine.trajectory import Order
from tests.bench import gpu_models
from tests.bench.report import Row, print_table, publish
from tests.engine import tiny_models

LOSSY = "lossy: linears' weights in FP8, turned back to bf16 in each forward"


@dataclass(frozen=True, slots=True)
class Case:
    """One latency row: `limit_ms` is what the device could do at best."""

    name: str
    family: str
    side: int
    steps: int
    guidance: float
    limit_ms: float
    must_ms: float
    aim_ms: float


CASES = (
    Case("sd15_512_4_steps_ms", "sd", 512, 4, 1.0, 7.2, 45, 25),
    Case("sd15_512_30_steps_guided_ms", "sd", 512, 30, 7.0, 63, 400, 200),
    Case("sdxl_512_4_steps_ms", "sdxl", 512, 4, 1.0, 11.1, 70, 45),
    Case("sdxl_1024_4_steps_ms", "sdxl", 1024, 4, 1.0, 47, 150, 110),
    Case("sdxl_1024_30_steps_guided_ms", "sdxl", 1024, 30, 7.0, 520, 1470, 1200),
    Case("flux_1024_4_steps_ms", "flux", 1024, 4, 3.5, 385, 780, 650),
    Case("flux_1024_28_steps_ms", "flux", 1024, 28, 3.5, 2620, 4500, 4000),
)


@dataclass(slots=True)
class Bench:
    """`build(family)` gives a pipeline; `side` overrides the cases' sides in a tiny run."""

    build: Callable[[str], Any]
    rounds: int
    rank: int = 16
    slots: int = 16
    side: int | None = None
    cases: tuple[Case, ...] = CASES
    rows: list[Row] = field(default_factory=list)

    def measure(self) -> list[Row]:
        families = dict.fromkeys(case.family for case in self.cases)
        for family, weights in product(families, quantization.WEIGHTS):
            settings = Settings(
                batch_sizes=GPU_BATCH_SIZES,
                adapter_slots=self.slots,
                rank_ceiling=self.rank,
                weights=weights,
            )
            # Built anew each time: the hooks of one model's bank would stay on the other's layers.
            model = assemble(self.build(family), settings)
            cases = [case for case in self.cases if case.family == family]
            for case in cases:
                self._latency(model, case)
            self._batching(model, cases[0])
            self._adapters(model, cases[0])
            del model
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        return self.rows

    def _job(self, case: Case, seed: int = 0) -> RenderJob:
        side = self.side or case.side
        return RenderJob("a picture", "", case.steps, case.guidance, seed, side, side, side)

    def _latency(self, model: Model, case: Case) -> None:
        took = self._repeat(lambda: run(model, [self._job(case)], []))
        limit = f"limit {case.limit_ms:g} ms, {median(took) / case.limit_ms:.1f} times that"
        if model.settings.weights == FP8:
            self._add(f"{named(model, case)}_ms", took, "ms", against=f"{limit}; {LOSSY}, eager")
            return
        self._add(
            case.name, took, "ms", must=case.must_ms, aim=case.aim_ms,
            against=f"{limit}; lossless bf16, eager",
        )  # fmt: skip

    def _batching(self, model: Model, case: Case) -> None:
        """Eight images in one batch against one after the other."""
        jobs = [self._job(case, seed) for seed in range(8)]
        together = self._repeat(lambda: run(model, jobs, []))
        apart = self._repeat(lambda: [run(model, [job], []) for job in jobs])
        speeds = [8000 / ms for ms in together]
        name = named(model, case)
        lossy = LOSSY if model.settings.weights == FP8 else ""
        self._add(f"{name}_images_per_s_8", speeds, "images/s", better="higher", against=lossy)
        ratios = [a / t for a, t in zip(apart, together, strict=True)]
        self._add(
            f"{name}_batched_vs_sequential", ratios, "x", better="higher", against="same kernels"
        )

    def _adapters(self, model: Model, case: Case) -> None:
        """Installing in a slot, and what wearing eight different adapters costs a batch."""
        flats = [flat(model, f"a{n}", seed=n) for n in range(8)]
        slots = Slots(model.banks, 1)

        def install(adapter: FlatAdapter) -> None:
            slots.acquire([(adapter, 1.0)])
            slots.release([(adapter, 1.0)])

        turn = iter(flats * (self.rounds + 2))
        name = named(model, case)
        self._add(
            f"{name}_slot_install_rank_{self.rank}_ms",
            self._repeat(lambda: install(next(turn))),
            "ms",
        )
        jobs = [self._job(case, seed) for seed in range(8)]
        bare = self._repeat(lambda: run(model, jobs, []))
        worn = self._repeat(lambda: run(model, jobs, flats))
        shares = [100 * (w / b - 1) for w, b in zip(worn, bare, strict=True)]
        self._add(f"{name}_8_adapters_overhead", shares, "%", against="the same batch without any")

    def _repeat(self, action: Callable[[], object]) -> list[float]:
        """Milliseconds of each round after a warm-up."""
        action()
        took = []
        for _ in range(self.rounds):
            synchronize()
            started = time.perf_counter()
            action()
            synchronize()
            took.append((time.perf_counter() - started) * 1000)
        return took

    def _add(self, name: str, values: list[float], unit: str, **more: Any) -> None:
        row = Row(name, median(values), unit, min(values), max(values), **more)
        print(f"{row.name}: {row.value:.3g} {row.unit}", flush=True)
        self.rows.append(row)


def named(model: Model, case: Case) -> str:
    """The case, and that its weights are FP8 where they are."""
    name = case.name.removesuffix("_ms")
    return f"{name}_fp8" if model.settings.weights == FP8 else name


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def run(model: Model, jobs: list[RenderJob], adapters: list[FlatAdapter]) -> int:
    """Noise to pixels for all `jobs` in one denoiser; how many pictures came out.

    Random weights may decode to no picture at all; that costs the same time.
    """
    denoiser = Denoiser(model)
    for number, job in enumerate(jobs):
        denoiser.enqueue(Order(job, ((adapters[number], 1.0),) if adapters else ()))
    made = 0
    with torch.inference_mode():
        while not denoiser.is_idle:
            done = denoiser.step()
            if done:
                made += len(pixels.decode(model, [t.latents for t in done], done[0].size))
    return made


def flat(model: Model, name: str, *, seed: int) -> FlatAdapter:
    """A small random adapter of every layer of the network, as the shelf would hold it."""
    generator = torch.Generator().manual_seed(seed)
    banks = list(model.banks.values())
    parts = [torch.zeros(bank.flat_size, dtype=bank.dtype) for bank in banks]
    parts[0].normal_(0, 0.01, generator=generator)
    if model.device.type == "cuda":
        parts = [part.pin_memory() for part in parts]
    layers = [frozenset(banks[0].places), *(frozenset[str]() for _ in banks[1:])]
    return FlatAdapter(name, tuple(parts), tuple(layers))


def tiny_rows(folder: Path) -> list[Row]:
    """Every line of the benchmark on tiny models and whatever device there is."""
    import diffusers

    def build(family: str) -> Any:
        loaded: Any = diffusers.DiffusionPipeline
        pipe = loaded.from_pretrained(tiny_models.build(family, folder / family))
        return pipe.to("cuda" if torch.cuda.is_available() else "cpu")

    cases = tuple(case for case in CASES if case.steps == 4)
    return Bench(build, rounds=1, rank=4, slots=8, side=32, cases=cases).measure()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiny", type=Path, help="a folder for tiny models; publishes nothing")
    options = parser.parse_args()
    if options.tiny:
        print_table(tiny_rows(options.tiny))
        return
    if not torch.cuda.is_available():
        raise SystemExit("This benchmark needs a CUDA device; --tiny FOLDER tries it without one.")
    device = torch.device("cuda")
    bench = Bench(lambda family: gpu_models.build(family, device, torch.bfloat16), options.rounds)
    path = publish("gpu", bench.measure())
    report = json.loads(path.read_text())
    report["machine"]["accelerator"] = torch.cuda.get_device_name()
    path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
