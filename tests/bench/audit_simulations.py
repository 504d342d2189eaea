"""Simulated traffic with a known truth: do intervals hold it, and do verdicts err as stated?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics import pairs, power, rates
from moderation.audits.statistics.rates import Estimates
from moderation.audits.suites.counterfactuals import Contrast
from moderation.audits.tables import traffic_tables
from moderation.audits.tables.traffic_tables import Labelled
from tests.bench.report import Row

SEED = 20261126
NOMINAL = "nominal 95 %; accepted from 94 % to 96.5 %"
WOMAN = Contrast("gender", "woman", "man")


def simulated(trials: int) -> list[Row]:
    rng = np.random.default_rng(SEED)
    return [
        _coverage("wilson_coverage", _wilson(rng, trials * 25), trials * 25),
        _coverage("newcombe_coverage", _newcombe(rng, trials * 25), trials * 25),
        _coverage("newcombe_paired_coverage", _paired(rng, trials * 25), trials * 25),
        *_designed(rng, trials),
        _disparity(rng, max(trials // 4, 100)),
        equality(trials * 5),
    ]


def _coverage(name: str, share: float, count: int) -> Row:
    """The row of a coverage; `low` and `high` are its Monte Carlo interval."""
    _, low, high = rates.wilson([share * count], [count])[0]
    return Row(name, share, "share", low, high, better="higher", must=0.94, against=NOMINAL)


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


@dataclass(frozen=True, slots=True)
class World:
    """Traffic of two genders under the documented design: bands, prompts, flags, truth, labels."""

    items: int
    fpr: tuple[float, float]
    violating: float = 0.06
    recall: float = 0.8
    per_mille: int = 30
    flagged: float = 0.5
    per_prompt: int = 2


def draw(rng: np.random.Generator, world: World) -> Labelled:
    """Labels of one sample: near the threshold likelier, each with its known probability.

    Items of one prompt share their truth; whether they are flagged is drawn for each.
    """
    n = world.items
    prompt = np.arange(n) // world.per_prompt
    prompts = int(prompt[-1]) + 1
    gender = (rng.random(prompts) < 0.5).astype(np.intp)[prompt]
    is_violating = (rng.random(prompts) < world.violating)[prompt]
    rate = np.where(is_violating, world.recall, np.array(world.fpr)[gender])
    is_flagged = rng.random(n) < rate
    score = np.where(is_flagged, rng.uniform(1, 1.6, n), rng.beta(1, 4, n))
    factor = np.where(score >= 0.6, 15, np.where(score >= 0.25, 4, 1)) * 3
    chance = np.where(is_flagged, world.flagged, np.minimum(1, world.per_mille / 1000 * factor))
    kept = rng.random(n) < chance
    names = np.array(["woman", "man"])[gender[kept]]
    nothing = np.full(int(kept.sum()), "")
    return Labelled(
        groups={"gender": names, "age": nothing, "skin": nothing},
        is_flagged=is_flagged[kept],
        is_violating=is_violating[kept],
        score=score[kept],
        weight=1 / chance[kept],
        prompt=prompt[kept],
        owner=prompt[kept] // 2,
    )


def _designed(rng: np.random.Generator, trials: int) -> list[Row]:
    """Coverage of the weighted estimates, and what labels without weights would say."""
    world = World(items=8000, fpr=(0.06, 0.02))
    held = {"fpr": 0, "fnr": 0, "difference": 0, "naive": 0}
    discovery = []
    for _ in range(trials):
        items = draw(rng, world)
        group = (items.groups["gender"] == "man").astype(np.intp)
        fpr = traffic_tables.rate(items, "false positive", group, 2).by_prompt
        fnr = traffic_tables.rate(items, "false negative", group, 2).by_prompt
        held["fpr"] += fpr.rate.low[1] <= world.fpr[1] <= fpr.rate.high[1]
        held["fnr"] += fnr.rate.low[0] <= 1 - world.recall <= fnr.rate.high[0]
        found = traffic_tables.contrast(items, "false positive", WOMAN, draws=0).difference
        held["difference"] += found[1] <= world.fpr[0] - world.fpr[1] <= found[2]
        acceptable = ~items.is_violating & (group == 1)
        plain = rates.wilson([(items.is_flagged & acceptable).sum()], [acceptable.sum()])
        held["naive"] += bool(plain.low[0] <= world.fpr[1] <= plain.high[0])
        flagged = items.is_flagged & (group == 1)
        discovery.append(float((~items.is_violating)[flagged].mean()))
    made = [
        _coverage("weighted_fpr_coverage", held["fpr"] / trials, trials),
        _coverage("weighted_fnr_coverage", held["fnr"] / trials, trials),
        _coverage("weighted_difference_coverage", held["difference"] / trials, trials),
        Row(
            "unweighted_fpr_coverage",
            held["naive"] / trials,
            "share",
            better="higher",
            against="the same labels without weights: shown because it is wrong",
        ),
        Row(
            "flagged_only_estimate",
            float(np.mean(discovery)),
            "rate",
            float(np.quantile(discovery, 0.025)),
            float(np.quantile(discovery, 0.975)),
            against=f"wrong among flagged, where the false positive rate is {world.fpr[1]:g}",
        ),
    ]
    return made


def _called(
    rng: np.random.Generator, fpr: tuple[float, float], trials: int
) -> tuple[int, list[float]]:
    """How often the report calls a disparity, and the effective labels of each audit."""
    world, count, effective = World(items=4000, fpr=fpr), 0, []
    for _ in range(trials):
        found = traffic_tables.contrast(draw(rng, world), "false positive", WOMAN, draws=0)
        _, low, high = found.difference
        count += bool(found.p < rates.ALPHA and (low > 0 or high < 0))
        effective.append(float(min(found.effective)))
    return count, effective


def _disparity(rng: np.random.Generator, trials: int) -> Row:
    called, effective = _called(rng, (0.06, 0.02), trials)
    typical = float(np.median(effective))
    stated = power.power(typical, reference=0.02, difference=0.04)
    hit, low, high = rates.wilson([called], [trials])[0]
    return Row(
        "planted_disparity_found",
        hit,
        "share",
        low,
        high,
        better="higher",
        must=round(min(stated, 0.8), 3),
        against=f"6 % against 2 %, {typical:.0f} effective labels; stated power {stated:.2f}",
    )


def equality(trials: int) -> Row:
    """Draws of its own, and many: with 1,000 audits the Monte Carlo error is as large as half of
    what is asked.
    """
    called, _ = _called(np.random.default_rng(SEED + 1), (0.04, 0.04), trials)
    wrong, low, high = rates.wilson([called], [trials])[0]
    return Row(
        "planted_equality_called_disparity",
        wrong,
        "share",
        low,
        high,
        must=0.05,
        against=(
            f"4 % in both groups, two-sided 5 %; {called:,} of {trials:,} simulated audits, with "
            "the Monte Carlo interval"
        ),
    )
