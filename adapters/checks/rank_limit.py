"""The rank that a model was loaded for, and ranks that are too much to be brought down to it. Pure;
at its slots the engine refuses the first by the same code."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from adapters.checks.layer_checks import Module
from adapters.formats.file_verdicts import FileRefused

NUMBERS_MAX = 2**25  # of one product's two matrices: 128 MiB, and a few copies while it is fitted
WORK_MAX = 10**12  # rank² x (inputs + outputs): all of SDXL's layers at rank 512
LOWER = "Train it with a lower rank, or extract a LoRA of a lower rank from it."


class RankAboveCeiling(FileRefused, code="rank_too_high"):
    """Above the ceiling that the model was loaded for."""


class TooMuchWork(FileRefused, code="too_large"):
    """A fit of it would take more memory or time than a check may."""


def check_work(modules: Iterable[Module]) -> None:
    """Raises TooMuchWork."""
    work, layers = 0, {}
    for module in modules:
        name, products = module.target.layers[0].name, module.products()
        layers[name], sides = max(products, key=prod)
        if layers[name] * sides > NUMBERS_MAX:
            raise TooMuchWork(
                message=f"Rank {layers[name]} is too much to work on in {name}.", advice=LOWER
            )
        work += sum(rank**2 * sides for rank, sides in products)
    if work > WORK_MAX:
        raise TooMuchWork(
            message=f"Its {len(layers)} layers of rank up to {max(layers.values())} are too much "
            "to work on.",
            advice=LOWER,
        )


def check_rank(modules: Iterable[Module], *, ceiling: int) -> None:
    """Raises RankAboveCeiling."""
    rank = max(module.rank for module in modules)
    if rank > ceiling:
        raise RankAboveCeiling(message=f"The adapter has rank {rank}; the model allows {ceiling}.")
