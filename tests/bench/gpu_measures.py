"""What the GPU benchmark measures of a model, one function for each kind of row."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median, quantiles
from typing import Any

import torch
from diffusers import AutoencoderTiny
from torch import nn

from generation.engine.adapters.adapter_slots import FlatAdapter, Slots
from generation.engine.families.registry import family_of
from generation.engine.jobs import RenderJob
from generation.engine.loading.group_norms import widen
from generation.engine.loading.loaded_model import LoadedModel, Settings, assemble
from generation.engine.loading.quantization import FP8, FP8_DYNAMIC, QUANTISED, multiplies_fp8
from generation.engine.loop.denoiser import Denoiser
from generation.engine.loop.engine import Engine
from generation.engine.loop.runner import Runner
from tests.bench.gpu_runs import CASES, PROMPT, Case, Scale, case_of, denoise, flats, render, timed
from tests.bench.report import Row

LOSSY = {
    FP8: "lossy: linears' weights in FP8, turned back to bf16 in each forward",
    FP8_DYNAMIC: "lossy: linears multiply in FP8",
}
INSTALL_MS = {16: (3.0, 1.5), 64: (8.0, 5.0), 128: (15.0, 9.0)}  # must and aim by rank
OVERHEAD = {16: (8.0, 4.0), 64: (12.0, 7.0)}  # %
BATCHING = {  # must and aim of eight in one batch against one after the other
    "sd15_512_4_steps": (2.0, 3.0),
    "sdxl_512_4_steps": (1.6, 2.2),
    "sdxl_1024_4_steps": (1.0, 1.05),
}
FLUX_FP8_MS = (3500.0, 2900.0)  # wearing an adapter
IMAGES_PER_S = (50.0, 80.0)  # SD 1.5 in batches of eight
MANY_OVER_ONE = (0.9, 0.97)  # images/s with a hundred adapters over those with one
PINNED_GB_PER_S = 50.0  # from pinned memory over PCIe, as the targets were computed
ATTENTION = ".to_"  # in the names of the layers that most trainers change
INTERACTIVE, BEHIND = "sdxl_512_4_steps", "sdxl_1024_30_steps_guided"


def aimed(targets: tuple[float, float] | None, *, when: bool = True) -> dict[str, float]:
    """What a row must reach and aims at, where it has targets."""
    return {"must": targets[0], "aim": targets[1]} if targets and when else {}


def dtype_on(device: torch.device) -> torch.dtype:
    return torch.bfloat16 if device.type == "cuda" else torch.float32


@dataclass(slots=True)
class Bench:
    """`build(family)` gives a pipeline on `device`."""

    build: Callable[[str], Any]
    scale: Scale
    device: torch.device
    rows: list[Row] = field(default_factory=list)

    def fresh(self, family: str, settings: Settings) -> LoadedModel:
        return assemble(self.pipeline(family), settings)

    def pipeline(self, family: str) -> Any:
        """A new one, once what is left of the last is gone."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        return self.build(family)

    def add(self, name: str, values: Sequence[float], unit: str, **more: Any) -> None:
        row = Row(name, median(values), unit, min(values), max(values), **more)
        print(f"{row.name}: {row.value:.4g} {row.unit}", flush=True)
        self.rows.append(row)

    def can_multiply(self, weights: str) -> bool:
        return weights != FP8_DYNAMIC or multiplies_fp8(self.device)


def tuning(bench: Bench, family: str, kinds: dict[str, Settings]) -> None:
    """A whole denoising of few steps under each of the `kinds` of settings, from plain on."""
    case = next(case for case in reversed(CASES) if case.family == family and case.steps == 4)
    pipe, job = bench.pipeline(family), bench.scale.job(case)
    for name, settings in kinds.items():
        run = partial(denoise, Denoiser(assemble(pipe, settings)), [job])
        first_s = timed(run) / 1000
        took = bench.scale.repeat(run)
        bench.add(f"{case.name}_denoising_{name}_ms", took, "ms", against=f"first {first_s:.1f} s")


def decoding(bench: Bench, family: str) -> None:
    """One picture of 1024 pixels, with torch's own group norms and with ours, in both layouts."""
    pipe = bench.pipeline(family)
    side = (bench.scale.side or 1024) // 8
    channels = pipe.vae.config.latent_channels
    latents = torch.randn(1, channels, side, side, device=bench.device, dtype=pipe.vae.dtype)

    def decode() -> None:
        with torch.inference_mode():
            pipe.vae.decode(latents)

    for norms in ("torch", "wide"):
        if norms == "wide":
            widen(pipe.vae)
        for layout in (torch.channels_last, torch.contiguous_format):
            pipe.vae.to(memory_format=layout)
            name = f"{family}_decoding_{norms}_norms"
            name += "_channels_last" if layout is torch.channels_last else ""
            bench.add(f"{name}_ms", bench.scale.repeat(decode), "ms")


def latencies(bench: Bench, family: str, settings: Settings) -> None:
    """One picture of each case. Lossless rows have diffusers' own pipeline beside them."""
    pipe = bench.pipeline(family)
    is_lossy = settings.weights in QUANTISED
    cases = [case for case in CASES if case.family == family]
    if is_lossy:  # what a step gains, and the row that has a target
        cases = [c for c in cases if c.steps == 4 or c.family == "flux"]
    usual = {} if is_lossy else {case.name: _by_diffusers(bench, pipe, case) for case in cases}
    model = assemble(pipe, settings)
    for case in cases:
        job = bench.scale.job(case)
        worn = flats(model, 1, layers=ATTENTION) if is_lossy else []
        denoiser = Denoiser(model)
        took = bench.scale.repeat(partial(render, denoiser, [job], worn))
        limit = f"limit {case.limit_ms:g} ms, {median(took) / case.limit_ms:.1f} times that"
        if is_lossy:
            bench.add(
                f"{case.name}_{settings.weights}_ms",
                took,
                "ms",
                against=f"{limit} in bf16; {LOSSY[settings.weights]}; wears an adapter",
                **aimed(FLUX_FP8_MS, when=case.name == "flux_1024_28_steps"),
            )
            continue
        bench.add(
            f"{case.name}_ms", took, "ms", must=case.must_ms, aim=case.aim_ms,
            against=f"{limit}; lossless bf16",
        )  # fmt: skip
        ratios = [usual[case.name][0] / ms for ms in took]
        bench.add(f"{case.name}_vs_diffusers", ratios, "x", better="higher")
        [done] = denoise(denoiser, [job])
        bench.add(
            f"{case.name}_difference", [_difference(done.latents, usual[case.name][1])], "%",
            against="latents and those of diffusers' pipeline alone, which keeps them in bf16",
        )  # fmt: skip
    if bench.device.type == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**30
        bench.add(
            f"{family}_{settings.weights}_memory",
            [peak],
            "GiB",
            against="peak of these rows, diffusers' runs included",
        )
    if family == "sdxl" and not is_lossy:
        _small_decoder(bench, model, case_of("sdxl_1024_4_steps"))


def _by_diffusers(bench: Bench, pipe: Any, case: Case) -> tuple[float, torch.Tensor]:
    """Milliseconds of the pipeline as most people serve it, and its latents from our noise."""
    pipe.set_progress_bar_config(disable=True)
    side = bench.scale.side or case.side
    noise = family_of(pipe).noise(pipe, (side, side), torch.Generator().manual_seed(0))

    def run(output: str) -> Any:
        return pipe(
            PROMPT,
            num_inference_steps=case.steps,
            guidance_scale=case.guidance,
            height=side,
            width=side,
            latents=noise.to(pipe.device, pipe.dtype),
            output_type=output,
        ).images

    latents = run("latent")
    return min(timed(lambda: run("pt")) for _ in range(2)), latents


def _difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The length of the difference as a share of the latents' length."""
    theirs = theirs.float()
    return 100 * float((ours - theirs).norm() / theirs.norm())


def _small_decoder(bench: Bench, model: LoadedModel, case: Case) -> None:
    full = model.pipe.vae
    model.pipe.vae = AutoencoderTiny().to(model.device, model.dtype).eval()
    model.pipe.vae.to(memory_format=torch.channels_last)
    denoiser = Denoiser(model)
    took = bench.scale.repeat(lambda: render(denoiser, [bench.scale.job(case)]))
    bench.add(
        f"{case.name}_small_decoder_ms", took, "ms", must=110, aim=80,
        against="lossy: decoded by an autoencoder of TAESD's size",
    )  # fmt: skip
    model.pipe.vae = full


def batching(bench: Bench, family: str, settings: Settings) -> None:
    """Eight pictures in one batch against one after the other, by the same kernels."""
    model = bench.fresh(family, settings)
    for case in [c for c in CASES if c.family == family and c.name in BATCHING]:
        jobs = [bench.scale.job(case, seed) for seed in range(8)]
        denoiser = Denoiser(model)
        together = bench.scale.repeat(partial(render, denoiser, jobs))
        apart = bench.scale.repeat(partial(_one_by_one, denoiser, jobs))
        speeds, limit = [8000 / ms for ms in together], 1000 / case.limit_ms
        bench.add(
            f"{case.name}_images_per_s_8",
            speeds,
            "images/s",
            better="higher",
            against=f"limit {limit:.3g}, {median(speeds) / limit:.0%} of it",
            **aimed(IMAGES_PER_S, when=case.name == "sd15_512_4_steps"),
        )
        ratios = [a / t for a, t in zip(apart, together, strict=True)]
        bench.add(
            f"{case.name}_batched_vs_sequential",
            ratios,
            "x",
            better="higher",
            against="same kernels",
            **aimed(BATCHING[case.name]),
        )


def _one_by_one(denoiser: Denoiser, jobs: Sequence[RenderJob]) -> None:
    for job in jobs:
        render(denoiser, [job])


def interactive(bench: Bench, settings: Settings) -> None:
    """Few-step pictures one after the other, while long guided ones are always on their way."""
    engine = Engine(bench.fresh("sdxl", settings), Runner())
    quick = bench.scale.job(case_of(INTERACTIVE), is_interactive=True)
    long = bench.scale.job(case_of(BEHIND))
    for warming in ([quick], [long, long]):
        render(Denoiser(engine.model), warming)
    underway = [engine.submit(long) for _ in range(2)]
    waits = []
    for _ in range(4 + 4 * bench.scale.rounds):
        underway = [t if not t.future.done() else engine.submit(long) for t in underway]
        started = time.perf_counter()
        _ended(engine.submit(quick))
        waits.append((time.perf_counter() - started) * 1000)
    for ticket in underway:
        ticket.cancel()
    engine.runner.close()
    waits = waits[4:]  # those that chose kernels
    bench.add("interactive_p50_beside_long_ms", waits, "ms")
    bench.add(
        "interactive_p95_beside_long_ms", [quantiles(waits, n=20)[-1]], "ms", must=500, aim=250,
        against=f"{INTERACTIVE} while two {BEHIND} are on their way",
    )  # fmt: skip


def _ended(ticket: Any) -> None:
    """Random weights may decode to no picture, which fails the order at the same moment."""
    ticket.future.exception()


def adapters(bench: Bench, family: str, settings: Settings) -> None:
    """Installing in a slot, changing between slots, and what wearing costs."""
    model = bench.fresh(family, settings)
    rank, has_targets = settings.rank_ceiling, family == "sdxl"
    is_last = rank == bench.scale.ranks[-1] > bench.scale.ranks[0]
    quick = next(case for case in CASES if case.family == family)
    large = [case for case in CASES if case.family == family and case.steps == 4][-1]
    count = 2 if is_last else 8
    attention, everywhere = flats(model, count, layers=ATTENTION), flats(model, count)
    _installing(bench, model, attention, f"{family}_slot_install_rank_{rank}", has_targets)
    _installing(bench, model, everywhere, f"{family}_slot_install_rank_{rank}_all_layers", False)
    _switching(bench, model, attention, f"{family}_slot_switch_rank_{rank}", rank == 16)
    if is_last:
        return  # of this rank only the copying has a target
    _overhead(bench, model, large, attention, f"{family}_rank_{rank}_overhead", has_targets)
    if has_targets:
        _overhead(
            bench, model, large, everywhere, f"{family}_rank_{rank}_all_layers_overhead", False
        )
    if rank == bench.scale.ranks[0] and family != "flux":
        _many(bench, model, quick)
        del model
        _loading(bench, family, rank)


def _installing(
    bench: Bench, model: LoadedModel, adapters: list[FlatAdapter], name: str, has_targets: bool
) -> None:
    slots = Slots(model.loras, 1)
    turn = iter(adapters * (bench.scale.rounds + 2))

    def install() -> None:
        worn = [(next(turn), 1.0)]
        slots.acquire(worn)
        slots.release(worn)

    took = bench.scale.repeat(install)
    lora = next(iter(model.loras.values()))
    copied = sum(stop - begin for begin, stop in lora._extents(adapters[0].layers[0]))
    megabytes = copied * lora.dtype.itemsize / 1e6
    bench.add(
        f"{name}_ms",
        took,
        "ms",
        against=f"{megabytes:.0f} MB; limit {megabytes / PINNED_GB_PER_S:.2g} ms",
        **aimed(INSTALL_MS.get(model.settings.rank_ceiling), when=has_targets),
    )


def _loading(bench: Bench, family: str, rank: int) -> None:
    """diffusers' own way to an adapter of the same layers, from tensors in memory."""
    pipe = bench.pipeline(family)
    component = family_of(pipe).network
    state: dict[str, torch.Tensor] = {}
    for name, layer in getattr(pipe, component).named_modules():
        if ATTENTION in name and isinstance(layer, nn.Linear):
            state[f"{component}.{name}.lora_A.weight"] = torch.randn(rank, layer.in_features)
            state[f"{component}.{name}.lora_B.weight"] = torch.randn(layer.out_features, rank)

    def load_and_unload() -> None:
        pipe.load_lora_weights(dict(state), adapter_name="loaded")
        pipe.unload_lora_weights()

    took = bench.scale.repeat(load_and_unload)
    bench.add(f"{family}_diffusers_load_rank_{rank}_ms", took, "ms", against="loaded and unloaded")


def _switching(
    bench: Bench, model: LoadedModel, adapters: list[FlatAdapter], name: str, has_targets: bool
) -> None:
    slots, lora = Slots(model.loras, 2), next(iter(model.loras.values()))
    worn = [slots.acquire([(adapter, 1.0)]) or () for adapter in adapters[:2]]
    turn = iter(worn * (bench.scale.rounds + 3))
    with torch.inference_mode():
        took = bench.scale.repeat(lambda: lora.gather([next(turn)]))
    bench.add(
        f"{name}_ms", took, "ms", must=0.1 if has_targets else None,
        against="from one resident adapter to another, for a row of one",
    )  # fmt: skip


def _overhead(
    bench: Bench,
    model: LoadedModel,
    case: Case,
    adapters: list[FlatAdapter],
    name: str,
    has_targets: bool,
) -> None:
    """Of denoising, one row and eight rows."""
    denoiser = Denoiser(model)
    targets = OVERHEAD.get(model.settings.rank_ceiling)
    for count in (1, 8) if case.family != "flux" else (1,):
        jobs = [bench.scale.job(case, seed) for seed in range(count)]
        bare = bench.scale.repeat(partial(denoise, denoiser, jobs))
        worn = bench.scale.repeat(partial(denoise, denoiser, jobs, adapters[:count]))
        shares = [100 * (w / b - 1) for w, b in zip(worn, bare, strict=True)]
        bench.add(
            f"{name}_{count}",
            shares,
            "%",
            against=f"{count} different adapters and none, {case.name} denoised",
            **aimed(targets, when=has_targets and count == 8),
        )


def _many(bench: Bench, model: LoadedModel, case: Case) -> None:
    """Eight pictures at a time, each with an adapter drawn from so many."""
    jobs = [bench.scale.job(case, seed) for seed in range(8)]
    chance, speeds = random.Random(0), {}
    for count in bench.scale.adapters:
        pool = flats(model, count, layers=ATTENTION)
        took = bench.scale.repeat(partial(_with_any, Denoiser(model), jobs, pool, chance))
        speeds[count] = [8000 / ms for ms in took]
        bench.add(
            f"{case.name}_images_per_s_{count}_adapters", speeds[count], "images/s", better="higher"
        )
    first, last = bench.scale.adapters[0], bench.scale.adapters[-1]
    ratios = [many / one for many, one in zip(speeds[last], speeds[first], strict=True)]
    bench.add(
        f"{case.name}_{last}_adapters_vs_{first}",
        ratios,
        "x",
        better="higher",
        **aimed(MANY_OVER_ONE, when=case.family == "sdxl"),
    )


def _with_any(
    denoiser: Denoiser, jobs: Sequence[RenderJob], pool: list[FlatAdapter], chance: random.Random
) -> None:
    render(denoiser, jobs, [chance.choice(pool) for _ in jobs])
