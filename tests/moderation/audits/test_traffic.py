"""Reports on real traffic: weighted, frozen, and able to say that there is nothing to say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User

from moderation.audits.audit_reports import freeze, schedule, traffic_report
from moderation.audits.lab import threshold_lab
from moderation.audits.models import (
    Audit,
    FrameEntry,
)
from moderation.audits.sampling import population
from moderation.audits.sampling.population import Window
from moderation.audits.tables import audit_report as reports
from moderation.audits.tables import renditions
from tests.moderation.audits.makers import NOON, traffic
from tests.rewriting import rewritten

pytestmark = pytest.mark.django_db
NOVEMBER = Window("image", date(2026, 11, 1), date(2026, 11, 30))


def _text(made: reports.AuditReport) -> str:
    files = renditions.files(made)
    return (files["report.json"] + files["report.csv"]).decode()


def test_a_period_without_data_says_so() -> None:
    made = traffic_report.assemble(NOVEMBER)
    assert [finding.sentence for finding in made.findings] == [
        "Nothing was screened in this period, so nothing can be said."
    ]
    assert not re.search(r"\bnan\b", _text(made).lower())


def test_a_period_backwards_is_refused() -> None:
    with pytest.raises(traffic_report.PeriodBackwards):
        traffic_report.assemble(Window("image", date(2026, 11, 2), date(2026, 11, 1)))


@pytest.mark.parametrize(
    ("fpr", "each", "violating"),
    [
        ({"woman": 0.1}, 60, 0.0),
        ({"woman": 0.0, "man": 0.0}, 60, 0.0),
        ({"woman": 1.0, "man": 1.0}, 60, 0.5),
        ({"woman": 0.1, "man": 0.1}, 60, 1.0),
    ],
)
def test_one_group_no_positives_all_flagged_print_no_nan(
    fpr: dict[str, float], each: int, violating: float, bob: User
) -> None:
    traffic([bob], fpr=fpr, each=each, violating=violating)
    made = traffic_report.assemble(NOVEMBER)
    text = reports.encode(made).decode()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert renditions.files(made)["report.pdf"].startswith(b"%PDF")


def test_labels_that_were_never_given_are_told(bob: User) -> None:
    traffic([], fpr={"woman": 0.1, "man": 0.1}, each=50)
    made = traffic_report.assemble(NOVEMBER)
    assert "has a clear label yet" in made.findings[0].sentence


def test_a_planted_disparity_is_found_and_the_naive_figure_is_wrong(bob: User, carol: User) -> None:
    traffic([bob, carol], fpr={"woman": 0.06, "man": 0.02}, each=2500)
    audit = traffic_report.make(NOVEMBER, at=NOON, by=carol)
    made = reports.decode(audit.document)
    primary = made.table("primary")
    assert primary.cells("standing")[0] == "disparity"
    assert made.findings[0].level == "bad"
    rows = {str(row[1]): row for row in made.table("rates").rows if row[0] == "gender"}
    names = [column.name for column in made.table("rates").columns]
    for group, truth in (("Woman", 0.06), ("Man", 0.02)):
        low, high = (rows[group][names.index(name)] for name in ("fpr_low", "fpr_high"))
        assert isinstance(low, float)
        assert isinstance(high, float)
        assert low < truth < high
    naive = made.table("naive")
    assert all(isinstance(cell, float) and cell > 0.2 for cell in naive.cells("discovery"))
    assert made.responsible == "carol"
    beside = {"rows.csv", "frame.csv", "totals.csv", "recompute.py", "recompute.r"}
    assert beside <= audit.digests.keys() & freeze.files_of(audit).keys()
    assert freeze.files_of(audit)["report.json"].decode() == audit.document
    agreement = made.table("agreement").cells("value")
    assert agreement == [1.0, 1.0, 1.0]


def test_the_same_data_give_the_same_bytes(bob: User) -> None:
    traffic([bob], fpr={"woman": 0.06, "man": 0.02}, each=300)
    first, second = (renditions.files(traffic_report.assemble(NOVEMBER)) for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_drift_is_measured_from_the_period_before_and_told_again(bob: User) -> None:
    """A report that is made again, or one of an earlier period, changes nothing of it."""
    october = Window("image", date(2026, 10, 1), date(2026, 10, 31))
    traffic([bob], fpr={"woman": 0.02, "man": 0.02}, each=2500, at=NOON - timedelta(days=31))
    traffic([bob], fpr={"woman": 0.09, "man": 0.02}, each=2500, seed=8)
    quiet = traffic_report.make(october, at=NOON)
    first = traffic_report.make(NOVEMBER, at=NOON)
    again = traffic_report.make(NOVEMBER, at=NOON + timedelta(hours=1))
    quiet_again = traffic_report.make(october, at=NOON + timedelta(hours=2))
    assert (quiet.has_alarm, first.has_alarm) == (False, True)
    assert again.digests == first.digests
    assert quiet_again.digests == quiet.digests
    said = dict(reports.decode(first.document).identity)["Drift measured from"]
    assert said == f"{quiet.title}, SHA-256 {quiet.digests['report.json']}"


def test_an_alarm_is_known_by_its_code_in_whatever_words() -> None:
    made = traffic_report.assemble(NOVEMBER)
    worded = reports.Finding("bad", "Der Abstand wurde größer.", code="drift")
    named = reports.Finding("warn", "Drift: nothing of the kind.")
    assert freeze.has_alarm(replace(made, findings=(worded,)))
    assert not freeze.has_alarm(replace(made, findings=(named,)))


def test_small_groups_are_counted_and_not_described(bob: User) -> None:
    traffic([bob], fpr={"woman": 0.1, "man": 0.1}, each=300)
    traffic([bob], fpr={"person": 1.0}, each=5, seed=9)
    rows = traffic_report.assemble(NOVEMBER).table("rates").rows
    person = next(row for row in rows if row[1] == "Person")
    assert person[2] == 5
    assert set(person[3:-2]) == {None}
    assert set(person[-2:]) == {"below the minimum cell"}


def test_few_violating_items_are_not_enough_for_the_rate_of_what_is_missed(bob: User) -> None:
    traffic([bob], fpr={"woman": 0.06}, each=1500)
    rates = traffic_report.assemble(NOVEMBER).table("rates")
    place = rates.cells("group").index("Woman")
    assert rates.cells("standing")[place] == "enough"
    assert str(rates.cells("standing_fnr")[place]).startswith("insufficient data: ")


def test_the_lab_moves_nothing_that_another_category_holds(bob: User) -> None:
    traffic([bob], fpr={"woman": 0.3, "man": 0.3}, each=200)
    replay = partial(
        threshold_lab.replayed,
        NOVEMBER,
        category="sexual",
        dimension="gender",
        before=0.5,
        after=0.65,
    )
    alone = replay()
    woman = FrameEntry.objects.filter(gender="woman", is_flagged=True)
    with rewritten(FrameEntry):
        for entry in woman:
            FrameEntry.objects.filter(pk=entry.pk).update(scores=entry.scores | {"violence": 0.9})
    found = replay()
    moved = {row.group: row.newly_passed for row in found.rows}
    assert moved["Woman"] == 0
    assert moved["Man"] == found.change.newly_passed > 0
    assert found.change.newly_passed < alone.change.newly_passed
    assert found.mistakes_lost < alone.mistakes_lost
    before, after = (
        {row.group: getattr(row, f"fpr_{side}") for row in found.rows}
        for side in ("before", "after")
    )
    assert before["Woman"] == after["Woman"]
    assert len(found.figures) == 2


def test_every_month_is_audited_once(bob: User) -> None:
    traffic([bob], fpr={"woman": 0.06, "man": 0.02}, each=100)
    december = NOON + timedelta(days=25)
    assert len(schedule.monthly(at=december)) == 1
    assert schedule.monthly(at=december) == []
    assert schedule.on_change(at=december) == []
    with rewritten(FrameEntry):
        FrameEntry.objects.filter(screened_at__lt=NOON + timedelta(seconds=100)).update(
            model_version="an older classifier"
        )
    [changed] = schedule.on_change(at=december)
    assert changed.is_scheduled
    assert schedule.on_change(at=december) == []
    assert Audit.objects.count() == 2


def test_the_lab_replays_every_stored_score(bob: User) -> None:
    traffic([bob], fpr={"woman": 0.06, "man": 0.02}, each=800)
    found = threshold_lab.replayed(
        NOVEMBER, category="sexual", dimension="gender", before=0.5, after=0.65
    )
    entries = FrameEntry.objects.all()
    assert found.screenings == 1600
    assert found.change.newly_flagged == 0
    between = entries.filter(score__gte=0.5, score__lt=0.65)
    assert found.change.newly_passed == between.count()
    assert {row.group: row.newly_passed for row in found.rows} == {
        "Man": between.filter(gender="man").count(),
        "Woman": between.filter(gender="woman").count(),
    }
    assert found.misses_gained > 0
    assert found.hours < 0
    assert len(found.figures) == 2
    none = threshold_lab.replayed(
        Window("image", date(2020, 1, 1), date(2020, 1, 2)),
        category="sexual",
        dimension="gender",
        before=0.5,
        after=0.65,
    )
    assert none.screenings == 0
    assert none.rows == ()


def test_labels_that_are_missing_where_most_passed_bias_nothing(bob: User) -> None:
    """What was held is answered at once, a fifth of what passed: the rate stays what it is."""
    traffic([bob], fpr={"woman": 0.06}, each=6000, answered=0.2)
    items, _ = population.labelled(NOVEMBER)
    assert items.weight.sum() == pytest.approx(6000, rel=0.1)
    made = traffic_report.assemble(NOVEMBER)
    rates = made.table("rates")
    place = rates.cells("group").index("Woman")
    low, high = (rates.cells(name)[place] for name in ("fpr_low", "fpr_high"))
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low < 0.06 < high
    answered = [float(str(share)) for share in made.table("sampling").cells("answered")]
    assert min(answered) < 0.3
    assert max(answered) == 1
