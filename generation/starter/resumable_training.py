"""A training that can be interrupted at any time and goes on where its checkpoint was.

The learning rate follows the training time spent so far, not the steps: constant, then falling to
almost nothing. So a plan says how long a machine is to work, however fast it is.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Weights = dict[str, nn.Parameter]
LossOfBatch = Callable[[random.Random], Tensor]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how hard to train; `minutes` of `clock` count the training time of all runs."""

    minutes: float
    batch: int = 32
    learning_rate: float = 1e-3
    falling_share: float = 0.4
    save_every_s: float = 150
    clock: Callable[[], float] = time.monotonic

    def rate(self, step: int, spent_s: float) -> float:
        """Learning rate: warm-up over 100 steps, constant, linear fall over `falling_share`."""
        left = 1 - min(1.0, spent_s / (self.minutes * 60))
        return self.learning_rate * min((step + 1) / 100, 1, max(0.02, left / self.falling_share))

    def is_over(self, spent_s: float) -> bool:
        return spent_s >= self.minutes * 60


def mixed_precision() -> torch.autocast:
    """bfloat16 where the processor has AVX-512; emulated elsewhere, it takes ten times as long."""
    quick = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.autocast("cpu", torch.bfloat16, enabled=quick)


@torch.no_grad()
def follow(average: Iterable[Tensor], weights: Iterable[Tensor], step: int) -> None:
    """Exponential moving average with a memory that grows to 500 steps."""
    keep = min(0.998, step / (step + 10))
    for mean, weight in zip(average, weights, strict=True):
        mean.lerp_(weight, 1 - keep)


class Course:
    """The weights that learn, their moving average, the optimizer and how far they came."""

    def __init__(self, weights: Weights, plan: TrainingPlan, checkpoint: Path) -> None:
        self._weights = weights
        self._checkpoint = checkpoint
        self.average = {name: weight.detach().clone() for name, weight in weights.items()}
        self._optimizer = torch.optim.AdamW(
            weights.values(), plan.learning_rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self._plan = plan
        self.step, self.spent_s = 0, 0.0
        if checkpoint.exists():
            self._resume()

    @torch.no_grad()
    def _resume(self) -> None:
        state = torch.load(self._checkpoint, weights_only=True)
        for name, weight in self._weights.items():
            weight.copy_(state["student"][name])
            self.average[name].copy_(state["average"][name])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.spent_s = state["step"], state["spent"]

    def save(self) -> None:
        """Replace the checkpoint at once, so that a kill leaves the old or the new one."""
        part = self._checkpoint.with_suffix(".part")
        state: dict[str, Any] = {
            "student": {name: weight.detach() for name, weight in self._weights.items()},
            "average": self.average,
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "spent": self.spent_s,
        }
        torch.save(state, part)
        part.replace(self._checkpoint)

    def learn(self, loss_of_batch: LossOfBatch) -> dict[str, Tensor]:
        """Train until the plan's time is spent; returns the averaged weights."""
        rng = random.Random(self.step)
        losses: list[float] = []
        before, began = self.spent_s, self._plan.clock()
        saved = began
        while not self._plan.is_over(self.spent_s):
            losses.append(self._take_step(loss_of_batch(rng)))
            now = self._plan.clock()
            self.spent_s = before + now - began
            if self.step % 50 == 0:
                mean = sum(losses) / len(losses)
                print(f"step {self.step} loss {mean:.4f} {self.spent_s:.0f} s", flush=True)
                losses.clear()
            if now - saved > self._plan.save_every_s or self._plan.is_over(self.spent_s):
                saved = now
                self.save()
        return self.average

    def _take_step(self, loss: Tensor) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate(self.step, self.spent_s)
        loss.backward()
        nn.utils.clip_grad_norm_(self._weights.values(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.step += 1
        follow(self.average.values(), self._weights.values(), self.step)
        return loss.item()
