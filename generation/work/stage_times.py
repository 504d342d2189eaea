"""How long each stage of an image's way took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

from config.core.watching import tracing
from config.core.watching.instruments import DEVICE_SECONDS, IMAGES, STAGES, bounded
from generation.models import GenerationRequest
from generation.models.requests import DEVICE_STAGES
from generation.progress import previews


class StageTimes:
    """Times the stages after the pixels and tells the page which one runs. `timings` holds
    milliseconds by name, those `before` it too."""

    def __init__(self, request: GenerationRequest, before: Mapping[str, float]) -> None:
        self._request = request
        self.timings = dict(before)

    @contextmanager
    def time(self, stage: str, key: str) -> Iterator[None]:
        """What runs within is that `stage`, whose time is kept under `key`."""
        steps = self._request.steps * self._request.count
        previews.tell(self._request, previews.RenderProgress(stage, steps, steps))
        started = perf_counter()
        with tracing.step(stage):
            yield
        self.timings[key] = round((perf_counter() - started) * 1000, 2)

    def count(self, verdict: str) -> None:
        """Of an image that was published under that verdict."""
        model = bounded("model", self._request.model.slug)
        for name, ms in self.timings.items():
            STAGES.labels(name.removesuffix("_ms")).observe(ms / 1000)
        device_ms = sum(self.timings.get(stage, 0.0) for stage in DEVICE_STAGES)
        DEVICE_SECONDS.labels(model).inc(device_ms / 1000)
        IMAGES.labels(model, verdict).inc()
