"""The shipped model with its own defaults, drawing one picture at a time on one thread."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from generation.engine.jobs import AdapterUse, RenderJob, StepReport
from generation.engine.loop.engine import Engine
from tests.bench.likeness import Pixels


@dataclass(frozen=True, slots=True)
class Made:
    """`seconds` is the wall time of the whole render, previews included."""

    pixels: Pixels
    seconds: float


class Artist:
    def __init__(self, folder: Path) -> None:
        said = json.loads((folder / "proofsheet.json").read_text())
        self.side = int(said["native_size"])
        self.default_steps, self.few_steps = int(said["default_steps"]), int(said["few_steps"])
        self.live_steps = int(said["live_steps"])
        self.guidance = float(said["default_guidance"])
        self._engine = Engine.load(folder, threads=1, device="cpu")
        self.draw("a warm-up", seed=0)

    def draw(
        self,
        prompt: str,
        *,
        seed: int,
        steps: int | None = None,
        adapters: tuple[AdapterUse, ...] = (),
    ) -> Made:
        job = RenderJob(
            prompt=prompt,
            negative_prompt="",
            steps=steps or self.default_steps,
            guidance=self.guidance,
            seed=seed,
            width=self.side,
            height=self.side,
            native_size=self.side,
            adapters=adapters,
        )
        started = time.perf_counter()
        made = self._engine.render(job, on_step=_ignore, should_stop=lambda: False)
        return Made(made.pixels, time.perf_counter() - started)


def _ignore(report: StepReport) -> None:
    """The studio shows the steps; a benchmark has nobody to show them to."""
