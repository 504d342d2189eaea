"""A network's forwards as CUDA graphs: launched whole, not kernel by kernel.

A small forward takes a GPU less time than Python needs to launch its two thousand kernels. A graph
is captured once for each shape of batch and replayed from then on. It reads its inputs and what the
batch wears (`LoraWeights`, `rows_kept`) from places that never change, so only their contents are
copied.

Source: PyTorch's notes on CUDA graphs (`torch.cuda.graph`).
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import torch
from torch import Tensor

from generation.engine.families.family import Rows

logger = logging.getLogger(__name__)

KEPT = 32  # shapes; each graph holds its launches, its inputs and its output

Run = Callable[[Tensor, Tensor, Rows, Rows], Tensor]


class Uncaptured(Enum):
    """Why a shape has no graph: it ran once so far, or its capture failed for good."""

    WARM = auto()  # libraries and compilers have chosen their kernels
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Captured:
    """A graph with the places that it reads and writes; `replay` answers with a copy."""

    graph: Any
    inputs: list[Tensor]
    output: Tensor

    def replay(self, given: list[Tensor]) -> Tensor:
        torch._foreach_copy_(self.inputs, given)
        self.graph.replay()
        return self.output.clone()


class Graphs:
    """Belongs to the engine's thread. All graphs share one pool of memory, as one runs at a time.

    A batch of a new shape runs as it is; at its second forward it is captured. What cannot be
    captured goes on as it is.
    """

    def __init__(self) -> None:
        self._shapes: OrderedDict[Hashable, Captured | Uncaptured] = OrderedDict()
        self._pool: Any = None

    @property
    def captured(self) -> int:
        return sum(isinstance(shape, Captured) for shape in self._shapes.values())

    def __call__(
        self,
        run: Run,
        latents: Tensor,
        timesteps: Tensor,
        rows: Rows,
        shared: Rows,
        *,
        worn: Hashable,
    ) -> Tensor:
        """What `run` makes of the rest. `worn` tells apart what shapes alone would not: which
        layers adapters change, and how many a row may wear."""
        given = [latents, timesteps, *rows.values(), *shared.values()]
        key = (worn, *rows, *((tensor.shape, tensor.dtype) for tensor in given))
        known = self._shapes.get(key)
        if known is Uncaptured.WARM:
            known = self._capture(run, given, rows, shared)
            self._keep(key, known)
        if isinstance(known, Captured):
            self._shapes.move_to_end(key)
            return known.replay(given)
        if known is None:
            self._keep(key, Uncaptured.WARM)
        return run(latents, timesteps, rows, shared)

    def _keep(self, key: Hashable, shape: Captured | Uncaptured) -> None:
        self._shapes[key] = shape
        while len(self._shapes) > KEPT:
            self._shapes.popitem(last=False)

    def _capture(
        self, run: Run, given: list[Tensor], rows: Rows, shared: Rows
    ) -> Captured | Uncaptured:
        inputs = [tensor.clone() for tensor in given]
        latents, timesteps, *others = inputs
        kept_rows = dict(zip(rows, others, strict=False))
        kept_shared = dict(zip(shared, others[len(rows) :], strict=True))
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        try:
            # Other threads decode and pin memory meanwhile: only this one's calls are watched.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                output = run(latents, timesteps, kept_rows, kept_shared)
        except Exception:  # whatever the kernels of a model cannot do in a capture
            logger.exception("a forward could not be captured; it goes on without a graph")
            return Uncaptured.REFUSED
        return Captured(graph, inputs, output)
