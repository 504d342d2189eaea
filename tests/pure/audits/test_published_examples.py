"""The statistics against figures that others published, and against a second implementation.

Sources stand at each table. R's are those printed in its packages' own tests or documentation.
"""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from moderation.audits.statistics import (
    agreement,
    multiple_comparisons,
    pairs,
    power,
    rates,
    summary_metrics,
    weights,
)
from moderation.audits.statistics.confusion import confusion
from tests.pure.audits.counted_pairs import pairs_of

# Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3 (Wilson, no correction).
WILSON = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
# Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10.
INDEPENDENT = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0),
]
# Newcombe 1998, Statistics in Medicine 17, 2635-2650, table III, method 10; the same figures stand
# in the tests of the R package propint.
PAIRED = [
    (36, 12, 2, 0, 0.0569, 0.3404),
    (18, 12, 2, 18, 0.0562, 0.3290),
    (53, 0, 0, 1, -0.0729, 0.0729),
]


@pytest.mark.parametrize(("hits", "trials", "low", "high"), WILSON)
def test_wilson_is_newcombes_table(hits: int, trials: int, low: float, high: float) -> None:
    found = rates.wilson([hits], [trials])[0]
    assert found == pytest.approx((hits / trials, low, high), abs=5e-5)


@pytest.mark.parametrize(("a", "n", "b", "m", "low", "high"), INDEPENDENT)
def test_difference_is_newcombes_table(
    a: int, n: int, b: int, m: int, low: float, high: float
) -> None:
    found = rates.difference([a], [n], [b], [m])[0]
    assert found == pytest.approx((a / n - b / m, low, high), abs=5e-5)


@pytest.mark.parametrize(("both", "one", "other", "neither", "low", "high"), PAIRED)
def test_paired_difference_is_newcombes_table(
    both: int, one: int, other: int, neither: int, low: float, high: float
) -> None:
    found = pairs.paired_difference(pairs_of(both, one, other, neither))[0]
    assert found[0] == pytest.approx((one - other) / (both + one + other + neither))
    assert found[1:] == pytest.approx((low, high), abs=5e-5)


def test_difference_is_statsmodels_newcombe_everywhere() -> None:
    rng = np.random.default_rng(1)
    n, m = rng.integers(1, 300, 200), rng.integers(1, 300, 200)
    a, b = rng.integers(0, n + 1), rng.integers(0, m + 1)
    low, high = confint_proportions_2indep(a, n, b, m, method="newcomb")
    found = rates.difference(a, n, b, m)
    np.testing.assert_allclose(found.low, low, atol=1e-12)
    np.testing.assert_allclose(found.high, high, atol=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        (24, 9, 0.0135),  # statsmodels: mcnemar([[0, 24], [9, 0]], exact=True)
        (121, 59, 4.434e-06),  # statsmodels, its test of Stata's mcci 59 121
        (5, 5, 1.0),
    ],
)
def test_mcnemar_is_exact(one: int, other: int, p: float) -> None:
    found = pairs.mcnemar_exact(pairs_of(100, one, other, 100))[0]
    assert found == pytest.approx(p, rel=5e-3)
    assert found == pytest.approx(mcnemar([[100, one], [other, 100]], exact=True).pvalue)


def test_holm_and_benjamini_hochberg_are_r_p_adjust() -> None:
    """Holm 1979 and Benjamini and Hochberg 1995; R: p.adjust(c(.01, .04, .03, .005), ...)."""
    p = [0.01, 0.04, 0.03, 0.005]
    np.testing.assert_allclose(multiple_comparisons.holm(p).adjusted, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(
        multiple_comparisons.benjamini_hochberg(p).adjusted, [0.02, 0.04, 0.04, 0.02]
    )


def test_untested_contrasts_do_not_count_in_the_family() -> None:
    found = multiple_comparisons.holm([0.01, np.nan, 0.04])
    assert found.size == 2
    np.testing.assert_allclose(found.adjusted, [0.02, np.nan, 0.04])


def test_kappa_is_fleiss_table() -> None:
    """Fleiss, Statistical Methods (1981), table 13.1: 100 subjects, kappa 0.676, s.e. 0.088, as in
    the tests of statsmodels."""
    table = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]], dtype=float)
    value, low, high = agreement.kappa(table)[0]
    assert value == pytest.approx(0.676, abs=5e-4)
    assert agreement.kappa_error(table) == pytest.approx(0.088, abs=5e-4)
    assert low < 0.676 - 1.7 * 0.088
    assert 0.676 + 1.5 * 0.088 < high < 1


def test_alpha_is_krippendorffs_examples() -> None:
    """Krippendorff 2011: A, two observers binary 0.095; C, four observers with gaps 0.743."""
    m = agreement.MISSING
    binary = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]])
    gaps = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, m, m, m],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, m, 3],
            [m, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, m],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, m],
        ]
    )
    assert agreement.alpha(binary).value[0] == pytest.approx(0.095, abs=5e-4)
    assert agreement.alpha(gaps).value[0] == pytest.approx(0.743, abs=5e-4)


def test_needed_numbers_are_those_of_the_reference() -> None:
    """Per group for 80 % power at 5 % two-sided; R: power.prop.test rounds up to the same."""
    assert power.needed(0.02, 0.04) == 376
    assert power.needed(0.02, 0.02) == 1141
    assert power.needed(0.05, 0.05) == 435
    assert power.needed(0.10, 0.10) == 199
    assert power.power(376, reference=0.02, difference=0.04) == pytest.approx(0.8, abs=2e-3)


def test_rogan_gladen_is_their_formula() -> None:
    """Rogan and Gladen 1978: (0.28 + 0.9 - 1) / (0.8 + 0.9 - 1)."""
    found = agreement.rogan_gladen([0.28], sensitivity=0.8, specificity=0.9)
    assert found[0] == pytest.approx(0.2571, abs=5e-5)


def test_horvitz_thompson_and_hajek_by_hand() -> None:
    """Two strata, drawn with 1/2 and 1/10: 4 hits of 6 and 1 of 5 stand for 18 of 62 items."""
    is_hit = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0], dtype=bool)
    weight = weights.inverse(np.array([0.5] * 6 + [0.1] * 5))
    group = np.zeros(11, dtype=np.intp)
    found = weights.hajek(
        is_hit=is_hit, is_counted=np.ones(11, bool), weight=weight, group=group, groups=1
    )
    assert weight @ is_hit == pytest.approx(18)
    assert found.total[0] == pytest.approx(62)
    assert found.rate.value[0] == pytest.approx(18 / 62)
    residuals = weight * (is_hit - 18 / 62)
    assert found.error[0] == pytest.approx(np.sqrt((residuals**2).sum()) / 62)
    assert 0 < found.effective[0] < 11


def test_equal_weights_leave_wilsons_interval() -> None:
    is_hit = np.arange(100) < 7
    found = weights.hajek(
        is_hit=is_hit,
        is_counted=np.ones(100, bool),
        weight=np.full(100, 20.0),
        group=np.zeros(100, np.intp),
        groups=1,
    )
    assert found.effective[0] == pytest.approx(100)
    assert found.rate[0] == pytest.approx(rates.wilson([7], [100])[0])


def test_yardsticks_and_their_blind_spot() -> None:
    """Refused by mistake 2 % against 6 %: the four-fifths rule is content, the odds are not."""
    assert summary_metrics.four_fifths(np.array([0.02, 0.06])) == pytest.approx(0.959, abs=1e-3)
    is_flagged = np.tile(np.arange(100) < 2, 2)
    is_flagged[100:106] = True
    group = np.repeat([0, 1], 102)
    is_violating = np.concatenate([np.zeros(100, bool), [True, True]] * 2)
    flagged = np.concatenate([is_flagged[:100], [True, True], is_flagged[100:], [True, True]])
    gap = summary_metrics.equalised_odds(
        is_violating=is_violating, is_flagged=flagged, group=group, weight=np.ones(204)
    )
    assert gap == pytest.approx(0.04)


def test_confusion_counts_each_group() -> None:
    found = confusion(
        np.array([0, 0, 1, 1, 1]),
        is_flagged=np.array([True, False, True, True, False]),
        is_violating=np.array([True, True, False, True, False]),
        groups=3,
    )
    np.testing.assert_array_equal(found.true_positive, [1, 1, 0])
    np.testing.assert_array_equal(found.false_positive, [0, 1, 0])
    np.testing.assert_array_equal(found.false_negative, [1, 0, 0])
    np.testing.assert_array_equal(found.true_negative, [0, 1, 0])


def test_sign_flips_of_whole_templates_are_exact_when_few() -> None:
    """Six templates that all fall one way: 2 of 64 patterns are as extreme, however many pairs."""
    cluster = np.repeat(np.arange(6), 5)
    assert pairs.sign_flip(np.ones(30), cluster, seed=1) == pytest.approx(2 / 64)
    assert pairs.sign_flip(np.zeros(30), cluster, seed=1) == 1
    many = pairs.sign_flip(np.ones(200), np.repeat(np.arange(20), 10), seed=1)
    assert many == pytest.approx(1e-4, abs=1e-4)
    assert pairs.by_cluster(np.zeros(30), cluster) == 6
