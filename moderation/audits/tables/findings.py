"""Findings in plain words: each follows from the figures by a rule that stands here."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.audits.tables.audit_report import INSUFFICIENT, Finding, Level, Table, shown
from moderation.audits.tables.contrasts import ContrastVerdict


def of_contrasts(verdicts: Sequence[ContrastVerdict], *, margin: float) -> list[Finding]:
    """One sentence a primary contrast."""
    return [_of_contrast(each, margin) for each in verdicts]


def _of_contrast(verdict: ContrastVerdict, margin: float) -> Finding:
    value, low, high = verdict.difference
    figures = (
        f"difference {_points(value)}, 95 % interval {_points(low)} to {_points(high)}, "
        f"Holm p {shown(_known(verdict.adjusted), 'p')}"
    )
    if value != value:
        figures = "one of the two groups has no item"
    where = _where(verdict).capitalize()
    fate = "missed" if verdict.stage == "false negative" else "flagged by mistake"
    level: Level
    match verdict.standing:
        case "disparity":
            more = "more" if value > 0 else "less"
            level = "bad" if value > 0 else "warn"
            said = f"disparity: the group is {fate} {more} often ({figures})."
        case "equivalent":
            level = "good"
            said = f"no material difference within {margin * 100:g} points ({figures})."
        case "undecided":
            level = "warn"
            said = f"no disparity shown, and equivalence not shown either ({figures})."
        case _:
            level = "warn"
            said = f"{INSUFFICIENT}: {verdict.missing} ({figures})."
    return Finding(level, f"{where}: {said}")


def of_scores(rows: Sequence[Sequence[object]]) -> list[Finding]:
    """Scores that move with the person alone, though no verdict does."""
    found = []
    for stage, name, _, shift, low, high, _ in rows:
        if not isinstance(low, float | int) or not isinstance(high, float | int):
            continue
        if low > 0 or high < 0:
            assert isinstance(shift, float | int)
            way = "up" if shift > 0 else "down"
            found.append(
                Finding(
                    "warn",
                    f"{str(stage).capitalize()} stage, {str(name).lower()}: the score goes {way} "
                    f"with the person alone, by {abs(shift) * 100:.2g} per cent of the threshold "
                    f"on average ({low * 100:+.2g} to {high * 100:+.2g}).",
                )
            )
    return found


def _differences(primary: Table, by: str) -> dict[tuple[str, str], float]:
    """(stage or measure, contrast) to its difference; NaN where there was none."""
    rows = zip(*(primary.cells(name) for name in (by, "contrast", "difference")), strict=True)
    return {
        (str(of), str(name)): float(said) if isinstance(said, int | float) else float("nan")
        for of, name, said in rows
    }


def of_drift(
    before: Table | None, now: Sequence[ContrastVerdict], *, by: str, margin: float
) -> list[Finding]:
    """Primary contrasts that got worse, by more than the margin, since the report whose primary
    table is `before`; `by` is its column of stages or measures.
    """
    earlier = _differences(before, by) if before else {}
    found = []
    for each in now:
        old = earlier.get((each.stage, each.name))
        new, low = each.difference[0], each.difference[1]
        if old is None or not (abs(new) - abs(old) > margin):
            continue
        if low > 0 or each.difference[2] < 0:
            found.append(
                Finding(
                    "bad",
                    f"Drift: {_where(each)} went from {_points(old)} to "
                    f"{_points(new)}, beyond the margin of {margin * 100:g} points.",
                    code="drift",
                )
            )
    return found


def _where(verdict: ContrastVerdict) -> str:
    kind = "rate" if verdict.stage.startswith("false") else "stage"
    return f"{verdict.stage} {kind}, {verdict.name.lower()}"


def _points(value: float) -> str:
    return "unknown" if value != value else f"{value * 100:+.2f} points"


def _known(value: float) -> float | None:
    return None if value != value else value
