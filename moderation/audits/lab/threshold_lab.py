"""The threshold lab: stored scores replayed against another threshold, with what labels say of it.

Nothing is screened again. Counts are of every stored score; errors are estimated from the labels,
weighted to the period as in the audit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from config.core.errors import ProofsheetError
from moderation.audits.sampling import population
from moderation.audits.sampling.population import GROUPS, Window
from moderation.audits.statistics import rates, threshold_replay
from moderation.audits.statistics.weights import Index, hajek
from moderation.audits.suites.person_terms import title
from moderation.audits.tables import drawing, traffic_rates
from moderation.audits.tables.audit_report import Lines, number
from moderation.audits.tables.traffic_rates import Labelled
from moderation.policy.rulebook import policy_document

MINUTES_A_CASE = 1.5
"""What a moderator needs for one held item, for the hours below."""


class CategoryUnknown(ProofsheetError):
    """The policy in force has no category of that name."""

    default_code = "category_unknown"
    default_message = "The policy has no such category."
    default_advice = "Choose one of the list."
    default_status = 422


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One group under the old and the new threshold. Rates are (value, from, to) or Nones."""

    group: str
    screenings: int
    newly_flagged: int
    newly_passed: int
    labels: int
    fpr_before: tuple[float | None, ...]
    fpr_after: tuple[float | None, ...]
    fnr_before: tuple[float | None, ...]
    fnr_after: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a threshold would have done to the period."""

    category: str
    before: float
    after: float
    screenings: int
    change: threshold_replay.Change
    mistakes_gained: float
    mistakes_lost: float
    misses_gained: float
    misses_lost: float
    hours: float
    rows: tuple[ReplayRow, ...]
    figures: tuple[drawing.Drawing, ...]

    def analysis(self) -> dict[str, object]:
        """What goes with a proposal, for the second person."""
        return {
            "category": self.category,
            "threshold_before": self.before,
            "threshold_after": self.after,
            "screenings": self.screenings,
            "newly_flagged": self.change.newly_flagged,
            "newly_passed": self.change.newly_passed,
            "mistakes_gained": number(self.mistakes_gained),
            "mistakes_lost": number(self.mistakes_lost),
            "misses_gained": number(self.misses_gained),
            "misses_lost": number(self.misses_lost),
            "moderator_hours": number(self.hours),
            "groups": [
                {
                    "group": row.group,
                    "labels": row.labels,
                    "fpr_before": row.fpr_before,
                    "fpr_after": row.fpr_after,
                    "fnr_before": row.fnr_before,
                    "fnr_after": row.fnr_after,
                }
                for row in self.rows
            ],
        }


def threshold_of(profile: str, *, category: str, stage: policy_document.Stage) -> float:
    """From where the policy in force holds. Raises CategoryUnknown, PolicyUnknown."""
    categories = policy_document.active(profile).categories
    if category not in categories:
        raise CategoryUnknown
    return categories[category].thresholds[stage].hold


def replayed(
    window: Window,
    *,
    category: str,
    dimension: str,
    before: float,
    after: float,
    profile: str = "general",
) -> Replayed:
    """Replay the period's scores of one category; what another one holds stays held."""
    stage: policy_document.Stage = "prompt" if window.stage == "prompt" else "image"
    holds = {
        name: each.thresholds[stage].hold
        for name, each in policy_document.active(profile).categories.items()
        if name != category
    }
    scores, groups = population.scores(window, category=category, dimension=dimension, holds=holds)
    items, _ = population.labelled(window, category=category, holds=holds)
    change = threshold_replay.change(scores, before=before, after=after)
    gained, lost = items.score >= after, items.score >= before
    changed = {
        "mistakes_gained": gained & ~lost & ~items.is_violating,
        "mistakes_lost": lost & ~gained & ~items.is_violating,
        "misses_gained": lost & ~gained & items.is_violating,
        "misses_lost": gained & ~lost & items.is_violating,
    }
    estimated = {name: float(items.weight[kept].sum()) for name, kept in changed.items()}
    return Replayed(
        category=category,
        before=before,
        after=after,
        screenings=len(scores),
        change=change,
        hours=(change.flagged_after - change.flagged_before) * MINUTES_A_CASE / 60,
        rows=_rows(scores, groups, items, dimension, before=before, after=after),
        figures=_figures(items, before=before, after=after),
        **estimated,
    )


def _rows(
    scores: rates.Array,
    groups: Index,
    items: Labelled,
    dimension: str,
    *,
    before: float,
    after: float,
) -> tuple[ReplayRow, ...]:
    old, new = scores >= before, scores >= after
    total = np.bincount(groups, minlength=len(GROUPS))
    flagged = np.bincount(groups, new & ~old, minlength=len(GROUPS))
    passed = np.bincount(groups, old & ~new, minlength=len(GROUPS))
    places = {name: place for place, name in enumerate(GROUPS)}
    group = np.array([places[str(name)] for name in items.groups[dimension]], dtype=np.intp)
    labels = np.bincount(group, minlength=len(GROUPS))
    found = {
        (side, measure): _rate(items, group, threshold, measure)
        for side, threshold in (("before", before), ("after", after))
        for measure in ("fpr", "fnr")
    }
    return tuple(
        ReplayRow(
            group=title(GROUPS[place]),
            screenings=int(total[place]),
            newly_flagged=int(flagged[place]),
            newly_passed=int(passed[place]),
            labels=int(labels[place]),
            **{
                f"{measure}_{side}": _cell(each, int(place), int(labels[place]))
                for (side, measure), each in found.items()
            },
        )
        for place in np.flatnonzero(total)
    )


def _rate(items: Labelled, group: Index, threshold: float, measure: str) -> rates.Estimates:
    is_flagged = items.score >= threshold
    return hajek(
        is_hit=is_flagged if measure == "fpr" else ~is_flagged,
        is_counted=~items.is_violating if measure == "fpr" else items.is_violating,
        weight=items.weight,
        group=group,
        groups=len(GROUPS),
        cluster=items.prompt,
    ).rate


def _cell(found: rates.Estimates, place: int, labels: int) -> tuple[float | None, ...]:
    if labels < traffic_rates.MINIMUM_CELL:
        return (None, None, None)
    return tuple(number(each) for each in found[place])


def _figures(items: Labelled, *, before: float, after: float) -> tuple[drawing.Drawing, ...]:
    """ROC and precision-recall of the labelled items, with both operating points."""
    found = threshold_replay.curve(
        items.score, is_violating=items.is_violating, weight=items.weight
    )
    recall, fpr, precision = (
        found.true_positive_rate,
        found.false_positive_rate,
        found.precision,
    )
    if not np.isfinite(recall).any() or not np.isfinite(fpr).any():
        return ()
    marks = {
        label: int(np.argmin(np.abs(found.threshold - value)))
        for label, value in ((f"now {before:g}", before), (f"moved {after:g}", after))
    }
    return (
        _drawn("roc", "ROC", ("false positive rate", fpr), ("recall", recall), marks),
        _drawn("pr", "Precision and recall", ("recall", recall), ("precision", precision), marks),
    )


def _drawn(
    name: str,
    heading: str,
    across: tuple[str, rates.Array],
    up: tuple[str, rates.Array],
    marks: dict[str, int],
) -> drawing.Drawing:
    kept = np.isfinite(across[1]) & np.isfinite(up[1])
    xs, ys = (tuple(round(float(x), 4) for x in side[1][kept]) for side in (across, up))
    spots = tuple(
        (label, float(across[1][place]), float(up[1][place]))
        for label, place in marks.items()
        if kept[place]
    )
    series = (("", xs, ys),)
    return drawing.draw(Lines(name, heading, across[0], up[0], series, spots))
