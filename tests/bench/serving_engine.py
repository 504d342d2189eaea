"""What is measured inside one process: a slot's install against a hotswap, and equality."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

from generation.engine.adapters.adapter_slots import AdapterCache, Slots
from generation.engine.jobs import RenderJob
from generation.engine.loading import loaded_model as models
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loop.denoiser import Denoiser
from generation.engine.loop.trajectory import Order
from tests.bench.report import Row
from tests.bench.serving_contenders import BATCH, job, load_adapter, pipeline
from tests.bench.serving_model import RANK


def rows(folder: Path, *, rounds: int) -> list[Row]:
    swaps, installs = _swaps(folder, rounds), _installs(folder, rounds)
    ratios = [swap / install for swap, install in zip(swaps, installs, strict=True)]
    difference, is_equal = _equality(folder)
    return [
        _row("hotswap_ms", swaps),
        _row("slot_install_ms", installs),
        Row(
            "slot_install_vs_hotswap",
            median(ratios),
            "x",
            min(ratios),
            max(ratios),
            "higher",
            20,
            50,
            "diffusers' hotswap",
        ),
        Row("batched_vs_alone_max_abs", difference, "latents", better="lower", must=1e-4, aim=0),
        Row(
            "bit_equal_at_equal_batch_size",
            float(is_equal),
            "1 = yes",
            better="higher",
            aim=1,
            against="the same image among other strangers",
        ),
    ]


def _row(name: str, rounds: list[float]) -> Row:
    return Row(name, median(rounds), "ms", min(rounds), max(rounds))


def _ms(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def _adapters(folder: Path) -> int:
    return len(list(folder.glob("a*.safetensors")))


def _swaps(folder: Path, rounds: int) -> list[float]:
    """Milliseconds to swap the next adapter's file into diffusers' pipeline."""
    pipe = pipeline(folder)
    pipe.enable_lora_hotswap(target_rank=RANK)
    load_adapter(pipe, folder, 0, name="a")
    count = _adapters(folder)
    return [
        _ms(lambda n=n: load_adapter(pipe, folder, n % count, name="a", hotswap=True))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        for n in range(4 * rounds)
    ]


def _installs(folder: Path, rounds: int) -> list[float]:
    """Milliseconds from the next adapter's flat file to its slot, nothing in RAM before."""
    model = _model(folder, slots=1)

    def install(number: int) -> None:
        shelf = AdapterCache(
            model.read_adapter,
            model.loras,
            folder=folder / "flat",
            ceiling_bytes=1 << 28,
            is_pinned=False,
        )
        use = job(folder, {"prompt": "", "steps": 1, "seed": 0, "adapter": number}).adapters[0]
        worn = [(shelf.fetch(use), 1.0)]
        slots.acquire(worn)
        slots.release(worn)

    slots = Slots(model.loras, 1)
    count = _adapters(folder)
    for number in range(count):
        install(number)  # writes the flat files, which happens once, at the upload
    return [
        _ms(lambda n=n: install(n % count))  # type: ignore[misc]  # as above
        for n in range(4 * rounds)
    ]


def _equality(folder: Path) -> tuple[float, bool]:
    """Greatest difference to the image alone, and whether its batch's strangers change a bit."""
    model = _model(folder, slots=BATCH)
    requests = [
        job(folder, {"prompt": f"p{n}", "steps": 3 + n % 3, "seed": n, "adapter": n % 3})
        for n in range(BATCH)
    ]
    together = _latents(model, requests)
    alone = [_latents(model, [request])[0] for request in requests]
    strangers = [job(folder, {"prompt": f"q{n}", "steps": 5, "seed": 90 + n}) for n in range(7)]
    beside = _latents(model, [*strangers[:4], requests[2], *strangers[4:]])[4]
    among = _latents(model, [*strangers[3:], requests[2], *strangers[:3]])[4]
    worst = max(float((a - b).abs().max()) for a, b in zip(together, alone, strict=True))
    return worst, torch.equal(beside, among)


def _latents(model: LoadedModel, requests: list[RenderJob]) -> list[torch.Tensor]:
    shelf = AdapterCache(
        model.read_adapter, model.loras, folder=None, ceiling_bytes=1 << 28, is_pinned=False
    )
    denoiser = Denoiser(model)
    orders = [
        Order(request, tuple((shelf.fetch(use), use.weight) for use in request.adapters))
        for request in requests
    ]
    for order in orders:
        denoiser.enqueue(order)
    done: dict[Order, torch.Tensor] = {}
    with torch.inference_mode():
        while not denoiser.is_idle:
            done |= {trajectory.order: trajectory.latents for trajectory in denoiser.step()}
    return [done[order] for order in orders]


def _model(folder: Path, *, slots: int) -> LoadedModel:
    return models.load(
        folder,
        settings=Settings(adapter_slots=slots, rank_ceiling=RANK),
        device=torch.device("cpu"),
        dtype=torch.float32,
    )
