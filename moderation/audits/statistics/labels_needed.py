"""How many more labels would do, and from which stratum: what adds most to the variance first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stratum:
    """Labels of what was screened in a stratum, and its part of a rate's relative variance."""

    name: str
    labelled: float
    screened: float
    variance: float


def more_labels(strata: Sequence[Stratum], *, target: float) -> tuple[dict[str, int], bool]:
    """Labels to add by stratum until the variance falls to `target`, and whether it can.

    Variance goes with 1 / labels. A stratum gives no more than it holds.
    """
    excess = sum(each.variance for each in strata) - target
    wanted: dict[str, int] = {}
    for each in sorted(strata, key=lambda one: -one.variance):
        labelled = max(each.labelled, 1.0)
        most = each.variance * (1 - min(labelled / max(each.screened, 1.0), 1.0))
        if excess <= 0 or most <= 0:
            continue
        taken = min(excess, most)
        factor = each.variance / (each.variance - taken)
        wanted[each.name] = wanted.get(each.name, 0) + math.ceil(labelled * (factor - 1))
        excess -= taken
    return wanted, excess <= 1e-12


def words(wanted: dict[str, int], *, is_reached: bool) -> str:
    """The same for people."""
    said = ", ".join(f"{count:,} from {name}" for name, count in wanted.items())
    if not is_reached:
        return "a longer period needed, for all of this one would not do"
    return f"more labels needed: {said}"
