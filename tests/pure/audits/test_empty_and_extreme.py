"""Empty groups, zero positives, all flagged, weights of zero: an answer, no warning, no crash.

Warnings are errors in this project's tests, so a division that warns fails here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.audits.statistics import (
    agreement,
    multiple_comparisons,
    pairs,
    power,
    rates,
    summary_metrics,
    threshold_replay,
    weights,
)
from moderation.audits.statistics.confusion import confusion
from moderation.audits.tables import renditions
from moderation.audits.tables.audit_report import AuditReport, Forest
from tests.pure.audits.counted_pairs import pairs_of

NOTHING = np.zeros(0, dtype=bool)
NO_GROUP = np.zeros(0, dtype=np.intp)


def test_an_empty_group_has_no_rate_and_spoils_no_other() -> None:
    found = rates.wilson([0, 3], [0, 10])
    assert np.isnan(found.value[0])
    assert found[1][0] == pytest.approx(0.3)
    assert np.isnan(rates.difference([0], [0], [3], [10]).low[0])
    assert np.isnan(rates.ratio([0], [0], [3], [10]).value[0])


def test_zero_positives_and_all_flagged_have_intervals() -> None:
    assert rates.wilson([0], [30])[0] == pytest.approx((0, 0, 0.114), abs=1e-3)
    assert rates.wilson([30], [30])[0][1] == pytest.approx(0.886, abs=1e-3)
    value, low, high = rates.ratio([0], [70], [8], [80])[0]
    assert 0 < low < value < 1 < high
    assert np.isnan(rates.ratio([0], [70], [0], [80]).value[0])


def test_no_items_at_all_is_all_noughts() -> None:
    found = confusion(NO_GROUP, is_flagged=NOTHING, is_violating=NOTHING, groups=2)
    np.testing.assert_array_equal(found.total, [0, 0])
    assert np.isnan(found.false_positive_rate().value).all()
    none = weights.hajek(
        is_hit=NOTHING,
        is_counted=NOTHING,
        weight=np.zeros(0),
        group=NO_GROUP,
        groups=2,
        cluster=NO_GROUP,
    )
    np.testing.assert_array_equal(none.effective, [0, 0])
    assert np.isnan(none.rate.value).all()


def test_weights_of_zero_count_for_nothing() -> None:
    weight = weights.inverse(np.array([0.0, 0.5, 0.5]))
    np.testing.assert_array_equal(weight, [0, 2, 2])
    found = weights.hajek(
        is_hit=np.array([True, False, True]),
        is_counted=np.ones(3, bool),
        weight=weight,
        group=np.array([0, 1, 1], dtype=np.intp),
        groups=2,
        cluster=np.array([0, 1, 2], dtype=np.intp),
    )
    assert np.isnan(found.rate.value[0])
    assert found.rate.value[1] == pytest.approx(0.5)
    assert found.items.tolist() == [0, 2]


def test_one_reviewer_and_unanimous_reviewers_have_no_agreement_figure() -> None:
    lone = np.array([[0, 1, 1], [agreement.MISSING] * 3])
    assert np.isnan(agreement.alpha(lone).value[0])
    assert np.isnan(agreement.alpha(np.zeros((2, 5), dtype=np.int64)).value[0])
    assert np.isnan(agreement.alpha(np.zeros((2, 0), dtype=np.int64)).value[0])
    assert np.isnan(agreement.kappa([[5, 0], [0, 0]]).value[0])
    assert np.isnan(agreement.kappa([[0, 0], [0, 0]]).value[0])
    assert np.isnan(agreement.rogan_gladen([0.2], sensitivity=0.5, specificity=0.5)[0])


def test_no_pair_has_no_p_and_no_discordant_pair_has_one() -> None:
    assert np.isnan(pairs.mcnemar_exact(pairs_of(0, 0, 0, 0))[0])
    assert pairs.mcnemar_exact(pairs_of(0, 0, 0, 40))[0] == 1
    value, low, high = pairs.paired_difference(pairs_of(0, 0, 0, 40))[0]
    assert value == 0
    assert low < 0 < high


def test_no_tests_are_a_family_of_none() -> None:
    assert multiple_comparisons.holm([np.nan, np.nan]).size == 0
    assert multiple_comparisons.benjamini_hochberg([]).size == 0


def test_equivalence_is_never_given_for_lack_of_items() -> None:
    wide = rates.difference([0], [10], [0], [10])
    tight = rates.difference([20], [5000], [20], [5000])
    for found, expected in ((wide, "insufficient"), (tight, "equivalent")):
        enough = np.array([expected == "equivalent"])
        said = multiple_comparisons.standings(found, np.array([1.0]), margin=0.01, is_enough=enough)
        assert said == [expected]


def test_power_refuses_impossible_rates() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        power.needed(0.99, 0.04)
    assert power.missing([0, 375.9, 400], reference=0.02, difference=0.04).tolist() == [376, 1, 0]
    assert power.power(0, reference=0.02, difference=0.04) == 0


def test_yardsticks_of_one_group_are_none() -> None:
    assert np.isnan(summary_metrics.four_fifths(np.array([0.1, np.nan])))
    assert np.isnan(summary_metrics.four_fifths(np.array([1.0, 1.0])))
    one = summary_metrics.equalised_odds(
        is_violating=NOTHING, is_flagged=NOTHING, group=NO_GROUP, weight=np.zeros(0)
    )
    assert np.isnan(one)


@pytest.mark.parametrize("rows", [0, 1, 25, 120])
def test_figure_of_any_number_of_rows_fits_on_its_page(rows: int) -> None:
    points = tuple((f"Group {n}", 0.1, 0.05, 0.2) for n in range(rows))
    made = AuditReport(
        title="Many groups", kind="traffic", purpose="-", period="-", population="-", sampling="-",
        identity=(), groups=(), tables=(), lines=(), findings=(), limitations=(),
        forests=(Forest("rates", "Rates", 0.0, False, points),),
    )  # fmt: skip
    assert renditions.pdf_of(made).startswith(b"%PDF")


def test_clustered_items_are_worth_less_than_independent_ones() -> None:
    is_hit = np.repeat(np.arange(50) < 10, 8)
    shared: dict[str, Any] = {
        "is_hit": is_hit,
        "is_counted": np.ones(400, bool),
        "weight": np.ones(400),
        "group": np.zeros(400, np.intp),
        "groups": 1,
    }
    alone = weights.hajek(**shared)
    together = weights.hajek(**shared, cluster=np.repeat(np.arange(50), 8))
    assert alone.effective[0] == pytest.approx(400)
    assert together.effective[0] == pytest.approx(49)


def test_replay_counts_what_changes() -> None:
    scores = np.array([0.1, 0.4, 0.5, 0.6, 0.9], dtype=np.float32)
    found = threshold_replay.change(scores, before=0.5, after=0.8)
    assert (found.flagged_before, found.flagged_after) == (3, 1)
    assert (found.newly_flagged, found.newly_passed) == (0, 2)
    nothing = threshold_replay.change(np.zeros(0), before=0.5, after=0.8)
    assert nothing.flagged_before == 0


def test_curve_runs_from_nothing_to_everything() -> None:
    found = threshold_replay.curve(
        np.array([0.2, 0.4, 0.8, 1.0]),
        is_violating=np.array([False, True, False, True]),
        weight=np.ones(4),
    )
    assert found.true_positive_rate[0] == pytest.approx(0.5)
    assert found.false_positive_rate[-1] == found.true_positive_rate[-1] == 1
    none = threshold_replay.curve(np.zeros(0), is_violating=NOTHING, weight=np.zeros(0))
    assert np.isnan(none.precision).all()


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_intervals_hold_their_value(a: int, b: int, c: int, d: int) -> None:
    for found in (
        rates.wilson([a], [a + b]),
        rates.difference([a], [a + b], [c], [c + d]),
        rates.ratio([a], [a + b], [c], [c + d]),
        pairs.paired_difference(pairs_of(a, b, c, d)),
    ):
        value, low, high = found[0]
        assert np.isnan(value) or low - 1e-9 <= value <= high + 1e-9


def test_a_prompt_whose_items_are_all_alike_is_worth_one_item() -> None:
    found = weights.hajek(
        is_hit=np.zeros(40, bool),
        is_counted=np.ones(40, bool),
        weight=np.ones(40),
        group=np.zeros(40, np.intp),
        groups=2,
        cluster=np.repeat(np.arange(8), 5),
    )
    assert found.effective.tolist() == [8, 0]
    assert found.rate[0] == pytest.approx(rates.wilson([0], [8])[0])
