"""Other intervals for the rate of what is missed, in the worlds of `audit_worlds`.

    python -m tests.bench.audit_contenders [TRIALS]

Prints how often each holds the truth for women, its mean width, and how often it has no width or
none of the truth because nothing was found (ADR 158).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from scipy.stats import beta

from moderation.audits.statistics import weights
from moderation.audits.tables import traffic_rates
from moderation.audits.tables.traffic_rates import Labelled
from tests.bench.audit_worlds import SEED, WORLDS, draw, truth

DRAWS = 2000
Ends = tuple[float, float]


def hajek(items: Labelled) -> Ends:
    """What reports printed before: Wilson on the effective number of the weighted sample."""
    is_woman = items.groups["gender"] == "woman"
    found = weights.hajek(
        is_hit=~items.is_flagged,
        is_counted=items.is_violating & is_woman,
        weight=items.weight,
        group=np.zeros(len(is_woman), np.intp),
        groups=1,
        cluster=items.prompt,
    )
    return float(found.rate.low[0]), float(found.rate.high[0])


def strata(items: Labelled) -> tuple[np.ndarray, ...]:
    """Screenings, labels and bad labels of each stratum of women, and whether it was flagged."""
    count = len(items.frame.strata)
    bad = np.bincount(items.stratum, items.is_violating, minlength=count)
    kept = np.array([name.endswith("/woman") for name, _, _ in items.frame.strata])
    screened, labelled = (
        items.frame.by_stratum(each) for each in (items.frame.screenings, items.frame.labelled)
    )
    return screened[kept], labelled[kept], bad[kept], items.frame.is_flagged[kept]


def bonferroni(items: Labelled) -> Ends:
    """Clopper and Pearson's interval of each stratum at 1 - 0.05 / 4, added up."""
    screened, labelled, bad, is_flagged = strata(items)
    tail = 0.05 / 2 / len(screened)
    low = np.nan_to_num(beta.ppf(tail, bad, labelled - bad + 1)) * screened
    high = np.nan_to_num(beta.ppf(1 - tail, bad + 1, labelled - bad), nan=1.0) * screened
    missed, caught = (
        (low[~is_flagged].sum(), high[~is_flagged].sum()),
        (
            low[is_flagged].sum(),
            high[is_flagged].sum(),
        ),
    )
    return missed[0] / max(missed[0] + caught[1], 1e-9), missed[1] / (missed[1] + caught[0])


def posterior(items: Labelled, *, one: float, other: float) -> Ends:
    """Quantiles of draws of each stratum's share; `one` and `other` are added to what was seen."""
    screened, labelled, bad, is_flagged = strata(items)
    drawn = np.random.default_rng(SEED).beta(
        np.fmax(bad + one, 1e-9), np.fmax(labelled - bad + other, 1e-9), (DRAWS, len(bad))
    )
    missed = (drawn * screened)[:, ~is_flagged].sum(1)
    caught = (drawn * screened)[:, is_flagged].sum(1)
    low, high = np.quantile(missed / np.fmax(missed + caught, 1e-9), [0.025, 0.975])
    return float(low), float(high)


def ends_apart(items: Labelled) -> Ends:
    """The lower end from shares as low as Clopper and Pearson's, the upper from as high ones."""
    return posterior(items, one=0, other=1)[0], posterior(items, one=1, other=0)[1]


def shipped(items: Labelled) -> Ends:
    found = traffic_rates.rate(items, "false negative", "gender")
    place = found.place("woman")
    return (0.0, 1.0) if place is None else found.rate[place][1:]


CONTENDERS: dict[str, Callable[[Labelled], Ends]] = {
    "Hajek, Wilson": hajek,
    "Clopper-Pearson, Bonferroni": bonferroni,
    "Jeffreys posterior": lambda items: posterior(items, one=0.5, other=0.5),
    "Clopper-Pearson ends, drawn": ends_apart,
    "gamma, one more, mid-p": shipped,
}


def main(trials: int) -> None:
    for world in WORLDS:
        planted = truth(world, "false negative", "woman")
        made = [
            draw(np.random.default_rng([SEED, ord(world.name), number]), world)
            for number in range(trials)
        ]
        for name, of in CONTENDERS.items():
            ends = np.array([of(items) for items in made])
            held = np.mean((ends[:, 0] <= planted) & (planted <= ends[:, 1]))
            width = np.nanmean(ends[:, 1] - ends[:, 0])
            print(f"{world.name}  {name:28s} {held:.3f}  {width:.3f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
