"""The decoding thread: finished images first, together; previews when there is time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from threading import Condition, Thread
from time import monotonic
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.engine.families.family import Size
from generation.engine.jobs import NotFinite, OutOfMemory, Rendered
from generation.engine.loading.library_versions import library_versions
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loading.quantization import QUANTISED
from generation.engine.loop import pixels
from generation.engine.loop.trajectory import Order, Trajectory

logger = logging.getLogger(__name__)

TOGETHER = 8


@dataclass(frozen=True, slots=True, eq=False)
class FinishedLatents:
    """Latents after their last step, to be decoded; `denoised_at` is monotonic seconds."""

    model: LoadedModel
    trajectory: Trajectory
    denoised_at: float

    @property
    def latents(self) -> Tensor:
        return self.trajectory.latents

    @property
    def size(self) -> Size:
        return self.trajectory.size


@dataclass(frozen=True, slots=True, eq=False)
class PreviewLatents:
    """`show` gets a small WebP of the estimated final `latents`."""

    model: LoadedModel
    latents: Tensor
    size: Size
    show: Callable[[bytes], None]


def use_cores(count: int) -> None:
    """Give the calling thread that many torch threads. Torch counts by thread only once it was
    asked; before that, the last to set a number sets it for all."""
    torch.get_num_threads()
    torch.set_num_threads(count)


Item = TypeVar("Item", FinishedLatents, PreviewLatents)


class Decoder:
    """Of an order's previews only the newest is kept; the others are out of date."""

    def __init__(self) -> None:
        self._finished: list[FinishedLatents] = []
        self._previews: dict[Order, PreviewLatents] = {}
        self._changed = Condition()
        self._is_open = True
        self._thread = Thread(target=self._run, name="decoder", daemon=True)
        self._thread.start()

    def finish(self, model: LoadedModel, trajectories: list[Trajectory]) -> None:
        if not trajectories:
            return
        now = monotonic()
        with self._changed:
            self._finished += [
                FinishedLatents(model, trajectory, now) for trajectory in trajectories
            ]
            for trajectory in trajectories:
                self._previews.pop(trajectory.order, None)
            self._changed.notify()

    def preview(self, order: Order, preview: PreviewLatents) -> None:
        with self._changed:
            self._previews[order] = preview
            self._changed.notify()

    def close(self) -> None:
        """Decode what is finished, then stop."""
        with self._changed:
            self._is_open = False
            self._previews.clear()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        use_cores(1)
        with torch.inference_mode():
            while self._decode_some():
                pass

    def _decode_some(self) -> bool:
        """False when the thread is to stop. A call of its own, so that one that waits holds no
        model."""
        finished, previews = self._take()
        if finished:
            _deliver(finished)
        elif previews:
            _show(previews)
        return bool(finished or previews)

    def _take(self) -> tuple[list[FinishedLatents], list[PreviewLatents]]:
        """What fits into one decode; nothing when the thread is to stop."""
        with self._changed:
            while self._is_open and not self._finished and not self._previews:
                self._changed.wait()
            finished = _alike(self._finished)
            self._finished = [item for item in self._finished if item not in finished]
            if finished:
                return finished, []
            previews = _alike(list(self._previews.values()))
            self._previews = {o: p for o, p in self._previews.items() if p not in previews}
            return [], previews


def _alike(items: list[Item]) -> list[Item]:
    """The first and those that can be decoded with it."""
    found = [i for i in items if i.model is items[0].model and i.size == items[0].size]
    return found[:TOGETHER]


def _deliver(finished: list[FinishedLatents]) -> None:
    started = monotonic()
    try:
        images = _decode(finished)
    except Exception as error:  # each of these orders fails with it; the thread lives on
        named = OutOfMemory() if isinstance(error, torch.OutOfMemoryError) else error
        for item in finished:
            item.trajectory.order.future.set_exception(named)
        return
    decode_ms = (monotonic() - started) * 1000 / len(finished)
    for item, image in zip(finished, images, strict=True):
        order = item.trajectory.order
        if image is None:
            order.future.set_exception(NotFinite())
        else:
            order.future.set_result(_rendered(item, image, decode_ms))


def _rendered(item: FinishedLatents, image: NDArray[np.uint8], decode_ms: float) -> Rendered:
    trajectory = item.trajectory
    order = trajectory.order
    waited_s = trajectory.started_at - order.submitted_at
    underway_s = item.denoised_at - trajectory.started_at
    canvas = order.canvas
    return Rendered(
        pixels=canvas.painted(image)
        if canvas is not None
        else pixels.enlarge(image, order.job.width, order.job.height),
        timings={
            "slot_wait_ms": round(waited_s * 1000, 2),
            "adapters_ms": round(trajectory.prepare_s * 1000, 2),
            "denoise_ms": round(trajectory.device_s * 1000, 2),
            "decode_ms": round(decode_ms, 2),
            "underway_ms": round(underway_s * 1000, 2),
        },
        dropped_tokens=trajectory.dropped_tokens,
        dropped_negative_tokens=trajectory.dropped_negative_tokens,
        has_parts=item.model.reader.most > 1,
        has_weights=item.model.reader.is_weighted,
        library_versions=library_versions(is_fp8=item.model.settings.weights in QUANTISED),
    )


def _show(previews: list[PreviewLatents]) -> None:
    try:
        images = _decode(previews)
    except Exception:  # a preview is a courtesy: the image itself will say what is wrong
        logger.exception("a preview could not be decoded")
        return
    for item, image in zip(previews, images, strict=True):
        if image is not None:
            item.show(pixels.preview(image))


def _decode(items: list[FinishedLatents] | list[PreviewLatents]) -> list[NDArray[np.uint8] | None]:
    with _beside(items[0].model.device):
        return pixels.decode(items[0].model, [item.latents for item in items], items[0].size)


def _beside(device: torch.device) -> AbstractContextManager[object]:
    """On a GPU a stream of the decoder's own, before the denoiser's: whoever waits for a finished
    picture waits for nothing else. Its latents are there, as the denoiser has looked at them."""
    return torch.cuda.stream(_stream(device)) if device.type == "cuda" else nullcontext()


@cache
def _stream(device: torch.device) -> Any:
    return torch.cuda.Stream(device, priority=-1)
