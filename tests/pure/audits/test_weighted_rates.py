"""Rates from a sample of unequal probabilities, against the formulas written out item by item and
against what repeated draws give."""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student

from moderation.audits.statistics import weights
from moderation.audits.statistics.rates import wilson

Item = tuple[bool, float, int, int]  # hit, weight, group, cluster
ITEMS = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from([1.0, 2.0, 7.5, 40.0]), st.integers(0, 2), st.integers(0, 5)
    ),
    min_size=1,
    max_size=40,
)


def hajek(items: list[Item], *, is_clustered: bool, groups: int = 3) -> weights.Weighted:
    hit, weight, group, cluster = (np.array(column) for column in zip(*items, strict=True))
    return weights.hajek(
        is_hit=hit.astype(bool),
        is_counted=np.ones(len(items), bool),
        weight=weight.astype(float),
        group=group.astype(np.intp),
        groups=groups,
        cluster=cluster.astype(np.intp) if is_clustered else None,
    )


def effective_by_hand(items: list[Item], group: int, *, is_clustered: bool) -> tuple[float, float]:
    """Rate and effective number of one group, by sums over its items."""
    own = [item for item in items if item[2] == group]
    if not own:
        return nan, 0.0
    total = sum(w for _, w, _, _ in own)
    rate = sum(w for hit, w, _, _ in own if hit) / total
    by_cluster: dict[int, float] = {}
    for number, (hit, w, _, cluster) in enumerate(own):
        key = cluster if is_clustered else number
        by_cluster[key] = by_cluster.get(key, 0.0) + w * (hit - rate)
    many = len(by_cluster)
    factor = many / (many - 1) if is_clustered and many > 1 else 1.0
    variance = factor * sum(residual**2 for residual in by_cluster.values()) / total**2
    kish = total**2 / sum(w**2 for _, w, _, _ in own)
    if is_clustered:
        kish = min(kish, many)
    spread = rate * (1 - rate)
    effective = spread / variance if variance > 1e-12 * spread else kish
    hits = sum(w for hit, w, _, _ in items if hit)
    is_hit_rare = hits * 2 <= sum(w for _, w, _, _ in items)
    rare = [w for hit, w, _, _ in own if hit == is_hit_rare]
    if len(set(rare)) < 2:
        return rate, effective
    freedom = sum(w**2 for w in rare) ** 2 / sum(w**4 for w in rare)
    z, t = norm.ppf(0.975), student.ppf(0.975, max(freedom - 1, 1))
    return rate, effective * (z / t) ** 2


@pytest.mark.parametrize("is_clustered", [False, True])
@given(items=ITEMS)
def test_rates_and_their_worth_are_the_formulas_item_by_item(
    items: list[Item], is_clustered: bool
) -> None:
    found = hajek(items, is_clustered=is_clustered)
    for group in range(3):
        rate, effective = effective_by_hand(items, group, is_clustered=is_clustered)
        assert found.effective[group] == pytest.approx(effective, rel=1e-6)
        if isnan(rate):
            assert isnan(found.rate.value[group])
            continue
        assert found.items[group] == sum(item[2] == group for item in items)
        assert found.total[group] == pytest.approx(sum(i[1] for i in items if i[2] == group))
        expected = wilson([rate * effective], [effective])[0]
        assert found.rate[group] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def drawn(*, audits: int, each: int, rate: float) -> dict[str, Any]:
    """Samples, one a group: a tenth of the items stand for 15 others, as what passes a screening
    does beside what is flagged."""
    rng = np.random.default_rng(11)
    is_heavy = np.arange(each) % 10 == 0
    weight = np.tile(np.where(is_heavy, 15.0, 1.0), audits)
    return {
        "is_hit": rng.random(audits * each) < rate,
        "is_counted": np.ones(audits * each, bool),
        "weight": weight,
        "group": np.repeat(np.arange(audits), each),
        "groups": audits,
    }


@pytest.mark.parametrize("rate", [0.08, 0.92])
def test_interval_holds_the_truth_although_a_few_heavy_items_decide(rate: float) -> None:
    """Without what the variance's own uncertainty takes it holds in 927 audits of 1,000."""
    found = weights.hajek(**drawn(audits=4_000, each=600, rate=rate))
    held = np.mean((found.rate.low <= rate) & (rate <= found.rate.high))
    assert 0.945 <= held <= 0.985


def test_interval_of_the_complement_is_the_complement() -> None:
    said = drawn(audits=20, each=100, rate=0.1)
    one, other = weights.hajek(**said), weights.hajek(**said | {"is_hit": ~said["is_hit"]})
    np.testing.assert_allclose(one.rate.low, 1 - other.rate.high)
    np.testing.assert_allclose(one.error, other.error)


@pytest.mark.parametrize("weight", [1.0, 0.3, 7.7])
def test_prompts_whose_items_cancel_out_still_have_an_interval(weight: float) -> None:
    """Half of each prompt's items hit: nothing varies between prompts, yet they are few."""
    items = [(number % 2 == 0, weight, 0, number // 2) for number in range(20)]
    found = hajek(items, is_clustered=True, groups=1)
    assert found.effective[0] == pytest.approx(10)
    assert found.rate[0] == pytest.approx(wilson([5], [10])[0])


def test_rounding_makes_no_interval_of_no_width() -> None:
    """One prompt in three parts of weight a third: what should cancel out leaves 1e-17."""
    items = [(hit, 0.1, 0, cluster) for cluster in range(3) for hit in (True, False, False)]
    found = hajek(items, is_clustered=True, groups=1)
    assert found.effective[0] == pytest.approx(3)
    assert found.rate.high[0] - found.rate.low[0] > 0.5


def test_standard_error_of_equal_weights_is_the_textbooks() -> None:
    found = hajek([(number < 20, 3.0, 0, 0) for number in range(100)], is_clustered=False)
    assert found.error[0] == pytest.approx(sqrt(0.2 * 0.8 / 100))
    assert found.effective[0] == pytest.approx(100)


def test_clusters_of_no_counted_item_are_worth_nothing() -> None:
    found = weights.hajek(
        is_hit=np.ones(4, bool),
        is_counted=np.zeros(4, bool),
        weight=np.ones(4),
        group=np.zeros(4, np.intp),
        groups=1,
        cluster=np.arange(4),
    )
    assert found.effective.tolist() == found.items.tolist() == found.total.tolist() == [0]
    assert isnan(found.rate.value[0])


def test_inverse_weighs_nothing_that_could_not_be_drawn() -> None:
    assert weights.inverse(np.array([0.25, 1.0, 0.0])).tolist() == [4.0, 1.0, 0.0]
