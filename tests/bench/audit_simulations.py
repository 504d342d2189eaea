"""Simulated traffic with a known truth: do intervals hold it, and do verdicts err as stated?"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics import pairs, rates
from moderation.audits.statistics.rates import Estimates
from moderation.audits.tables.traffic_rates import ERROR_RATES, Measure
from tests.bench.audit_worlds import WORLDS, Audits, agreement_held, audits
from tests.bench.report import ROOT, Row, commit

SHORT = {"false positive": "fpr", "false negative": "fnr", "precision": "precision"}
SEED = 20261126
NOMINAL = "nominal 95 %; accepted from 94 % to 97.5 %"


def simulated(trials: int) -> list[Row]:
    rng = np.random.default_rng(SEED)
    return [
        _coverage("wilson_coverage", _wilson(rng, trials * 25), trials * 25),
        _coverage("newcombe_coverage", _newcombe(rng, trials * 25), trials * 25),
        _coverage("newcombe_paired_coverage", _paired(rng, trials * 25), trials * 25),
        *_agreement(trials // 2),
        *worlds(trials // 2),
    ]


def _coverage(name: str, share: float, count: int, against: str = NOMINAL) -> Row:
    """The row of a coverage; `low` and `high` are its Monte Carlo interval."""
    _, low, high = rates.wilson([share * count], [count])[0]
    return Row(name, share, "share", low, high, better="higher", must=0.94, against=against)


def _agreement(trials: int) -> Iterator[Row]:
    for items, error in product((60, 120, 300), (0.02, 0.05, 0.1)):
        both = agreement_held(error=error, items=items, trials=trials)
        for name, held in zip(("kappa", "alpha"), both, strict=True):
            row = f"{name}_{items}_items_error_{error * 100:.0f}_per_cent_coverage"
            yield _coverage(row, held, trials)


def _holds(found: Estimates, truth: float | NDArray[np.float64]) -> float:
    return float(np.mean((found.low <= truth) & (truth <= found.high)))


def _wilson(rng: np.random.Generator, trials: int) -> float:
    """Rates from 1 to 50 % in groups of 50 to 2,000."""
    p, n = rng.uniform(0.01, 0.5, trials), rng.integers(50, 2000, trials)
    return _holds(rates.wilson(rng.binomial(n, p), n), p)


def _newcombe(rng: np.random.Generator, trials: int) -> float:
    p, q = rng.uniform(0.01, 0.5, (2, trials))
    n, m = rng.integers(50, 2000, (2, trials))
    return _holds(rates.difference(rng.binomial(n, p), n, rng.binomial(m, q), m), p - q)


def _paired(rng: np.random.Generator, trials: int) -> float:
    """Pairs that share a common cause half of the time."""
    shares = rng.dirichlet([2, 0.6, 0.6, 6], trials)
    n = rng.integers(50, 1000, trials)
    drawn = rng.multinomial(n, shares).astype(np.float64)
    found = pairs.paired_difference(pairs.Pairs(*drawn.T))
    return _holds(found, shares[:, 1] - shares[:, 2])


def worlds(trials: int) -> list[Row]:
    """Every interval that a report prints, in every world at the shipped sampling."""
    checkpoints = ROOT / "var" / "bench" / "audit"
    checkpoints.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for world in WORLDS:
        at = checkpoints / f"{world.name}-{trials}-{commit()}.pickle"
        if not at.exists():
            at.write_bytes(pickle.dumps(audits(world, trials=trials)))
        rows += _of_world(pickle.loads(at.read_bytes()), trials)
    return rows


def _of_world(found: Audits, trials: int) -> Iterator[Row]:
    name = f"world_{found.world.name.lower()}"
    said = f"{found.world.items:,} items, {found.labels:.0f} labels; {NOMINAL}"
    for measure, group in found.sides:
        row = f"{name}_{SHORT[measure]}_{group or 'none'}_coverage"
        yield _coverage(row, found.holds(measure, group), trials, said)
    called = found.called()
    for measure in ERROR_RATES:
        both = zip(("difference", "ratio"), found.contrast_holds(measure), strict=True)
        for what, held in both:
            yield _coverage(f"{name}_{SHORT[measure]}_{what}_coverage", held, trials, said)
        yield _called(f"{name}_{SHORT[measure]}", found, measure, called[measure], trials)


def _called(name: str, found: Audits, measure: Measure, share: float, trials: int) -> Row:
    """A disparity that is called: wrongly where groups are alike, else against its stated power."""
    _, low, high = rates.wilson([share * trials], [trials])[0]
    if measure in found.world.equal_measures:
        against = "groups are alike; after Holm's method"
        return Row(f"{name}_called", share, "share", low, high, must=0.05, against=against)
    stated = found.stated_power(measure)
    against = f"stated power {stated:.3f}, before Holm's method"
    return Row(
        f"{name}_found", share, "share", low, high, better="higher", must=stated - 0.03,
        against=against,
    )  # fmt: skip
