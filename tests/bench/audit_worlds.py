"""Worlds of traffic with a known truth, sampled by the shipped plan: do intervals hold it?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics import agreement, multiple_comparisons, power, rates, stratified
from moderation.audits.statistics.sampling_design import BANDS, SHIPPED, probability
from moderation.audits.statistics.stratified import Total
from moderation.audits.tables import traffic_rates
from moderation.audits.tables.traffic_rates import (
    ERROR_RATES,
    MINIMUM_ERRORS,
    Frame,
    Labelled,
    Measure,
)

SEED = 20261130
MEASURES: tuple[Measure, ...] = (*ERROR_RATES, "precision")
GENDERS = ("woman", "man", "")
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """`recall` and `fpr` are of women and of men; nobody's pictures have those of men. `missed`:
    where the scores of what is missed lie. `drift` is what recall loses in the second half.
    `reviewer_error`: the share of bad pictures that a reviewer calls acceptable, and the other way
    about in a hundred times as many. `answered`: the share of drawn passed items with a label.
    """

    name: str
    items: int
    bad: float
    recall: tuple[float, float]
    fpr: tuple[float, float] = (0.02, 0.02)
    missed: Literal["near", "far", "mixed"] = "mixed"
    per_prompt: int = 2
    drift: float = 0.0
    reviewer_error: float = 0.0
    answered: float = 1.0

    @property
    def equal_measures(self) -> tuple[Measure, ...]:
        """The measures in which women and men are alike."""
        sides = {"false positive": self.fpr, "false negative": self.recall}
        return tuple(each for each in ERROR_RATES if sides[each][0] == sides[each][1])


WORLDS = (
    World("A", 20_000, 0.03, (0.8, 0.8), missed="near"),
    World("B", 20_000, 0.03, (0.8, 0.8), missed="far"),
    World("C", 10_000, 0.01, (0.6, 0.6), missed="mixed"),
    World("D", 40_000, 0.06, (0.95, 0.95), missed="mixed"),
    World("E", 40_000, 0.02, (0.3, 0.3), missed="far"),
    World("F", 20_000, 0.06, (0.8, 0.8), (0.03, 0.02), missed="near", answered=0.7),
    World("G", 40_000, 0.06, (0.5, 0.8), missed="near", drift=0.2),
    World("H", 20_000, 0.04, (0.7, 0.7), missed="mixed", reviewer_error=0.08, answered=0.8),
)


def draw(rng: np.random.Generator, world: World) -> Labelled:
    """The labels of one period, and the frame they were drawn from.

    Pictures of one prompt share gender and truth; whether each is flagged is its own affair.
    """
    n = world.items
    prompt = np.arange(n) // world.per_prompt
    prompts = int(prompt[-1]) + 1
    gender = rng.choice(3, prompts, p=(0.3, 0.3, 0.4))[prompt]
    is_bad = (rng.random(prompts) < world.bad)[prompt]
    side = np.where(gender == 0, 0, 1)
    recall = np.array(world.recall)[side] - world.drift * (np.arange(n) >= n // 2)
    is_flagged = rng.random(n) < np.where(is_bad, recall, np.array(world.fpr)[side])
    passed = np.where(is_bad, _missed(rng, world, n), rng.beta(1, 6, n))
    score = np.where(is_flagged, rng.uniform(1, 1.6, n), passed)
    band = np.where(is_flagged, 3, np.digitize(score, (0.25, 0.6)))
    chances = np.array(
        [[probability(SHIPPED, b, is_person=g != "") for g in GENDERS] for b in BANDS]
    )
    chance = chances[band, gender]
    is_drawn = rng.random(n) < chance
    is_labelled = is_drawn & (is_flagged | (rng.random(n) < world.answered))
    wrong = np.where(is_bad, world.reviewer_error, world.reviewer_error / 100)
    is_violating = is_bad ^ (rng.random(n) < wrong)
    return labelled(
        gender, band, chances, is_labelled=is_labelled, is_drawn=is_drawn,
        is_violating=is_violating, score=score, prompt=prompt,
    )  # fmt: skip


def _missed(rng: np.random.Generator, world: World, n: int) -> Array:
    low, high = {"near": (0.6, 1), "far": (0, 0.25), "mixed": (0, 1)}[world.missed]
    return rng.uniform(low, high, n)


def labelled(
    gender: NDArray[np.intp],
    band: NDArray[np.intp],
    chances: Array,
    *,
    is_labelled: NDArray[np.bool_],
    is_drawn: NDArray[np.bool_],
    is_violating: NDArray[np.bool_],
    score: Array,
    prompt: NDArray[np.intp],
) -> Labelled:
    """As `population.labelled` would read them from the database."""
    code = (band * 3 + gender).astype(np.intp)
    counts = [
        np.bincount(code, kept, minlength=12).astype(float)
        for kept in (np.ones(len(code)), is_drawn, is_labelled)
    ]
    everybody = np.tile(GENDERS, 4)
    frame = Frame(
        strata=tuple(
            (f"{b}/{g or 'none'}", float(chances[i, j]), b == "flagged")
            for i, b in enumerate(BANDS)
            for j, g in enumerate(GENDERS)
        ),
        stratum=np.arange(12),
        groups={"gender": everybody, "age": np.full(12, ""), "skin": np.full(12, "")},
        screenings=counts[0],
        drawn=counts[1],
        labelled=counts[2],
    )
    kept = is_labelled
    names, nothing = np.array(GENDERS)[gender[kept]], np.full(int(kept.sum()), "")
    return Labelled(
        groups={"gender": names, "age": nothing, "skin": nothing},
        is_flagged=band[kept] == 3,
        is_violating=is_violating[kept],
        score=score[kept],
        stratum=code[kept],
        weight=frame.weight()[code[kept]],
        prompt=prompt[kept],
        owner=prompt[kept] // 5,
        frame=frame,
    )


def truth(world: World, measure: str, group: str) -> float:
    """The rate that the world plants, as its reviewers label it."""
    share = {"woman": (1.0, 0.0), "man": (0.0, 1.0), "": (0.0, 1.0), "all": (0.3, 0.7)}[group]
    wrong, error = world.reviewer_error, world.reviewer_error / 100
    cells = np.zeros((2, 2))  # violating as labelled, flagged
    for part, recall, fpr in zip(share, world.recall, world.fpr, strict=True):
        caught = np.array([1 - recall + world.drift / 2, recall - world.drift / 2])
        flagged = np.array([1 - fpr, fpr])
        bad, good = part * world.bad * caught, part * (1 - world.bad) * flagged
        cells += np.stack([bad * wrong + good * (1 - error), bad * (1 - wrong) + good * error])
    match measure:
        case "false positive":
            return float(cells[0, 1] / cells[0].sum())
        case "false negative":
            return float(cells[1, 0] / cells[1].sum())
        case _:
            return float(cells[1, 1] / cells[:, 1].sum())


Sides = tuple[Total, Total]
"""Errors, and the rest of what a measure counts."""


@dataclass(frozen=True, slots=True)
class Audits:
    """What the audits of a world estimate, by measure and group: one element an audit."""

    world: World
    sides: dict[tuple[Measure, str], Sides]
    labels: float

    def holds(self, measure: Measure, group: str) -> float:
        """Share of the audits whose interval holds the truth."""
        found = stratified.interval(*self.sides[measure, group])
        planted = truth(self.world, measure, group)
        return float(np.mean((found.low <= planted) & (planted <= found.high)))

    def contrast_holds(self, measure: Measure) -> tuple[float, float]:
        """The same of the difference of women and men, and of their ratio."""
        both = [stratified.interval(*self.sides[measure, group]) for group in ("woman", "man")]
        one, other = (truth(self.world, measure, group) for group in ("woman", "man"))
        difference, ratio = rates.apart(*both), stratified.ratio(*both)
        low, high = np.nan_to_num(ratio.low), np.nan_to_num(ratio.high, nan=np.inf)
        return (
            float(np.mean((difference.low <= one - other) & (one - other <= difference.high))),
            float(np.mean((low <= one / other) & (one / other <= high))),
        )

    def called(self) -> dict[Measure, float]:
        """Share of the audits in which a disparity is called, after Holm's method."""
        pairs = {each: (self.sides[each, "woman"], self.sides[each, "man"]) for each in ERROR_RATES}
        p = np.array([_p(*each) for each in pairs.values()]).T
        adjusted = np.array([multiple_comparisons.holm(each).adjusted for each in p]).T
        hits = {}
        for (measure, (a, b)), each in zip(pairs.items(), adjusted, strict=True):
            errors = a[0].items() + b[0].items()
            hits[measure] = float(np.mean((each < rates.ALPHA) & (errors >= MINIMUM_ERRORS)))
        return hits

    def stated_power(self, measure: Measure) -> float:
        """What the reports' effective numbers promise for the gap that is planted."""
        one, other = (truth(self.world, measure, group) for group in ("woman", "man"))
        worth = [
            float(np.median(traffic_rates.effective(*self.sides[measure, group])))
            for group in ("woman", "man")
        ]
        return power.power(
            worth[0], reference=min(one, other), difference=abs(one - other),
            ratio=worth[1] / worth[0],
        )  # fmt: skip


def _p(one: Sides, other: Sides) -> Array:
    """The p values below 5 %, and 1 for the rest."""
    apart = rates.apart(stratified.interval(*one), stratified.interval(*other))
    is_low = (apart.low > 0) | (apart.high < 0)
    p = np.ones(len(is_low))
    p[is_low] = stratified.p_of_difference(*(each[is_low] for each in (*one, *other)))
    return p


def audits(world: World, *, trials: int, start: int = 0) -> Audits:
    """Audits number `start` to `start + trials` of a world; each number always gives the same."""
    found: dict[tuple[Measure, str], list[list[float]]] = {}
    labels = 0
    for number in range(start, start + trials):
        items = draw(np.random.default_rng([SEED, ord(world.name), number]), world)
        labels += len(items.weight)
        for measure, dimension in product(MEASURES, ("gender", "all")):
            made = traffic_rates.rate(items, measure, dimension)
            for place, label in enumerate(made.labels):
                figures = [
                    float(each[place])
                    for total in (made.part, made.rest)
                    for each in (total.sum, total.variance, total.one_more)
                ]
                found.setdefault((measure, str(label)), []).append(figures)
    sides = {key: np.array(each).T for key, each in found.items()}
    return Audits(
        world,
        {key: (Total(*each[:3]), Total(*each[3:])) for key, each in sides.items()},
        labels / trials,
    )


def agreement_held(*, error: float, items: int, trials: int) -> tuple[float, float]:
    """Share of the intervals of kappa and of alpha that hold the truth: three in ten items are bad,
    each reviewer errs in a share `error` and finds one in fifty unclear.
    """
    sees = {0: np.array([0.98 - error, 0.02, error]), 1: np.array([error, 0.02, 0.98 - error])}
    chances = 0.7 * np.outer(sees[0], sees[0]) + 0.3 * np.outer(sees[1], sees[1])
    by_chance = float((chances.sum(0) * chances.sum(1)).sum())
    planted = 1 - (1 - np.trace(chances)) / (1 - by_chance)
    rng, held = np.random.default_rng([SEED, items]), np.zeros(2)
    for _ in range(trials):
        cell = rng.choice(9, items, p=chances.ravel())
        ratings = np.stack([cell // 3, cell % 3])
        table = np.bincount(cell, minlength=9).reshape(3, 3)
        for place, found in enumerate((agreement.kappa(table), agreement.alpha(ratings))):
            held[place] += bool(found.low[0] <= planted <= found.high[0])
    kappa, alpha = held / trials
    return float(kappa), float(alpha)
