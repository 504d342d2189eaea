"""The report on real traffic: blind labels of sampled screenings, weighted to the whole period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User

from config.core.errors import ProofsheetError
from moderation.audits.audit_reports import freeze, recomputation
from moderation.audits.models import Audit, Presentation
from moderation.audits.sampling import frame, population
from moderation.audits.sampling.population import Window
from moderation.audits.statistics import rates, summary_metrics
from moderation.audits.statistics.weights import hajek, inverse
from moderation.audits.suites.person_terms import DIMENSIONS, title
from moderation.audits.tables import agreement_tables, findings, traffic_rates, traffic_tables
from moderation.audits.tables import audit_report as reports
from moderation.audits.tables.audit_report import AuditReport, Finding, Forest, Lines, Table, table
from moderation.audits.tables.group_tables import yardsticks_of
from moderation.audits.tables.traffic_rates import Frame, Labelled
from moderation.models import Perceived
from moderation.policy.rulebook import policy_document

MARGIN = 0.02
DESIGN_MAY_CHANGE = (
    "Shares as they are set when the report is made; the probabilities that the estimates rest on "
    "are those recorded with each screening, in the table of what was drawn."
)
LIMITATIONS = (
    "Groups are what the prompts state; pictures of people that no word names are in “Not stated”.",
    "A label is one reviewer's view of the policy. Doubly labelled items show how sure that is.",
    "Prompts that were refused made no picture, so image figures say nothing about them.",
    "Appeals are lodged by those who choose to; their overturn rate is no false positive rate and "
    "is not used here.",
    "Items labelled “unclear” are left out of the rates and counted beside them.",
)


PURPOSE = (
    "Who is refused by mistake, and what is missed, among real {}s, by the group that the prompt "
    "states?"
)


class PeriodBackwards(ProofsheetError):
    """The last day of a period lies before its first."""

    default_code = "audit_period_backwards"
    default_message = "The first day of the period lies after its last."
    default_advice = "Exchange the two days."
    default_status = 422


def make(
    window: Window, *, at: datetime, by: User | None = None, is_scheduled: bool = False
) -> Audit:
    """Assemble, freeze and log the report of a period. Raises PeriodBackwards."""
    scope = f"traffic:{window.stage}" + (f":{window.project}" if window.project else "")
    before = _before(window, scope=scope)
    responsible = by.get_username() if by else ""
    read = population.labelled(window)
    made = assemble(window, before=before, responsible=responsible, read=read)
    return freeze.keep(
        made,
        scope=scope,
        at=at,
        by=by,
        ended_on=window.last,
        project=window.project,
        is_scheduled=is_scheduled,
        beside=recomputation.files(read[0]),
    )


def _before(window: Window, *, scope: str) -> Audit | None:
    """The newest report of the latest period that ended before this one begins: a report made
    again is compared with the same one, and no period with a later or an overlapping one.
    """
    earlier = Audit.objects.filter(scope=scope, ended_on__lt=window.first)
    return earlier.order_by("-ended_on", "-made_at").first()


def assemble(
    window: Window,
    *,
    before: Audit | None = None,
    responsible: str = "",
    read: tuple[Labelled, int] | None = None,
) -> AuditReport:
    """The report; the same rows give the same report. `read` is what `population.labelled` gave,
    read anew without it. Raises PeriodBackwards.
    """
    if window.first > window.last:
        raise PeriodBackwards
    items, unclear = read or population.labelled(window)
    framed = items.frame
    screenings = int(framed.screenings.sum())
    primary, verdicts, forests = traffic_tables.primary(items, margin=MARGIN)
    rates_made = traffic_tables.rates_table(items)
    last = reports.decode(before.document).table("primary") if before else None
    drift = findings.of_drift(last, verdicts, by="measure", margin=MARGIN)
    said = [*_on_data(screenings, items, unclear), *drift]
    if len(items.weight):
        said += findings.of_contrasts(verdicts, margin=MARGIN)
    return AuditReport(
        title=title_of(window),
        kind="traffic",
        purpose=PURPOSE.format(window.stage),
        period=f"{window.first} to {window.last}, UTC",
        population=(
            f"{screenings:,} screenings, {int(framed.flagged.sum()):,} of them flagged; "
            f"{len(items.weight):,} with a clear blind label, {unclear:,} unclear."
        ),
        sampling=f"{frame.current_design().sentence()} {DESIGN_MAY_CHANGE}",
        identity=(*_identity(window), freeze.compared(before)),
        groups=tuple((name, "as the prompt states it, else not stated") for name in DIMENSIONS),
        tables=(primary, rates_made, *_other_tables(window, items)),
        forests=(_rates_forest(rates_made), *forests),
        lines=(_distribution(window), _calibration(items)),
        findings=tuple(said),
        limitations=LIMITATIONS,
        responsible=responsible or "Not named",
    )


def _other_tables(window: Window, items: Labelled) -> Iterator[Table]:
    doubles = population.doubles(window)
    yield _population_table(items.frame)
    yield _sampling_table(items.frame)
    yield traffic_tables.naive_table(items)
    yield agreement_tables.agreement_table(doubles)
    yield agreement_tables.sensitivity_table(items, doubles)
    yield _presentation_table(window)
    yield _yardsticks(items)


def title_of(window: Window) -> str:
    """A report's title: the stage, both days of its period, and the project if it is of one."""
    said = f"{window.stage.capitalize()}s screened from {window.first} to {window.last}"
    return f"{said}, of project {window.project}" if window.project else said


def _on_data(screenings: int, items: Labelled, unclear: int) -> list[Finding]:
    if not screenings:
        return [Finding("warn", "Nothing was screened in this period, so nothing can be said.")]
    if not len(items.weight):
        said = "No sampled item of this period has a clear label yet, so no rate can be estimated."
        return [Finding("warn", said)]
    if unclear > len(items.weight) // 5:
        return [Finding("warn", "More than one label in six is “unclear”: the rules need work.")]
    return []


def _identity(window: Window) -> tuple[tuple[str, str], ...]:
    seen = population.versions(window)
    policies = sorted({row[0] for row in seen})
    found: list[tuple[str, str]] = [("Stage", window.stage)]
    if window.project:
        found.append(("Project", str(window.project)))
    for version in policies:
        loaded = policy_document.load(version)
        stage: policy_document.Stage = "prompt" if window.stage == "prompt" else "image"
        holds = ", ".join(
            f"{name} {category.thresholds[stage].hold:g}"
            for name, category in sorted(loaded.categories.items())
        )
        found.append(("Policy", f"{version}, SHA-256 {loaded.sha256}; held from: {holds}"))
    models: Counter[str] = Counter()
    for _, model, count in seen:
        models[model] += count
    for name, count in sorted(models.items()):
        found.append(("Classifier", f"{name}: {count:,} screenings"))
    return (*found, ("Code version", settings.PROOFSHEET_VERSION))


def _population_table(framed: Frame) -> Table:
    rows = []
    for dimension in DIMENSIONS:
        labels, group = np.unique(framed.groups[dimension], return_inverse=True)
        total, hits = (
            np.bincount(group, counts, minlength=len(labels))
            for counts in (framed.screenings, framed.flagged)
        )
        rate = rates.wilson(hits, total)
        for place, label in enumerate(labels):
            found = (total[place], hits[place], *rate[place])
            rows.append((dimension, title(str(label)), *found))
    return table(
        "population",
        "Every screening of the period",
        [
            ("dimension", "Dimension", "text"),
            ("group", "Group", "text"),
            ("screenings", "Screenings", "count"),
            ("flagged", "Flagged", "count"),
            ("selection_rate", "Selection rate", "rate"),
            ("low", "from", "rate"),
            ("high", "to", "rate"),
        ],
        rows,
        note="How often each group is flagged, rightly or not. A difference here is no error yet.",
    )


def _sampling_table(framed: Frame) -> Table:
    counts = zip(
        framed.strata,
        *map(framed.by_stratum, (framed.screenings, framed.drawn, framed.labelled)),
        strict=True,
    )
    rows = [
        (
            name.partition("/")[0],
            title(name.partition("/")[2].replace("none", "")),
            screened,
            chance,
            drawn,
            answered,
            answered / drawn if drawn else None,
        )
        for (name, chance, _), screened, drawn, answered in counts
    ]
    return table(
        "sampling",
        "What was drawn, and what has its label",
        [
            ("band", "Score band", "text"),
            ("group", "Group", "text"),
            ("screenings", "Screenings", "count"),
            ("probability", "Probability", "rate"),
            ("drawn", "Drawn", "count"),
            ("labelled", "Labelled", "count"),
            ("answered", "Answered", "rate"),
        ],
        rows,
        note=(
            "Probabilities as they were recorded with each screening. Drawn items without a label "
            "(not answered yet, or deleted by their owner) are taken to be like the labelled ones "
            "of their stratum, which are weighted up for them."
        ),
    )


def _presentation_table(window: Window) -> Table:
    seen = list(
        Presentation.objects.filter(seen_on__gte=window.first, seen_on__lte=window.last)
        .order_by("id")
        .values_list("perceived", "truth", "is_flagged", "inclusion_probability")
    )
    if window.stage != "image" or window.project:
        seen = []  # no row says of whom it is: that is what it was made for
    names = np.array([row[0] for row in seen], dtype=np.str_)
    labels, group = np.unique(names, return_inverse=True)
    found = hajek(
        is_hit=np.array([row[2] for row in seen], dtype=np.bool_),
        is_counted=np.array([row[1] == "acceptable" for row in seen], dtype=np.bool_),
        weight=inverse(np.array([row[3] for row in seen], dtype=np.float64)),
        group=group.astype(np.intp),
        groups=len(labels),
    )
    counts = np.bincount(group, minlength=len(labels))
    titles = dict(Perceived.choices)
    rows = [
        (titles[str(label)], counts[place], found.effective[place], *found.rate[place])
        if counts[place] >= traffic_rates.MINIMUM_CELL
        else (titles[str(label)], counts[place], None, None, None, None)
        for place, label in enumerate(labels)
    ]
    return table(
        "presentation",
        "Perceived presentation, as reviewers saw it",
        [
            ("perceived", "Perceived", "text"),
            ("labels", "Labels", "count"),
            ("effective", "Effective n", "number"),
            ("fpr", "False positive rate", "rate"),
            ("low", "from", "rate"),
            ("high", "to", "rate"),
        ],
        rows,
        note=(
            "Judged by people with an “unclear” option, never by a model; stored without a key to "
            f"picture or owner; described from {traffic_rates.MINIMUM_CELL} labels on. "
            "Dated by the day "
            "of the label, so a period at its edges differs from the one above."
        ),
    )


def _yardsticks(items: Labelled) -> Table:
    rows = []
    for dimension in DIMENSIONS:
        labels, group = traffic_tables.grouped(items, dimension)
        total = np.bincount(group, items.weight, minlength=len(labels))
        flagged = np.bincount(group, items.weight * items.is_flagged, minlength=len(labels))
        many = np.bincount(group, minlength=len(labels)) >= traffic_rates.MINIMUM_CELL
        selection = np.where(many, rates.share(flagged, total), np.nan)
        odds = summary_metrics.equalised_odds(
            is_violating=items.is_violating,
            is_flagged=items.is_flagged,
            group=group,
            weight=np.where(many[group], items.weight, 0.0) if len(group) else items.weight,
        )
        rows.append(("traffic", dimension, summary_metrics.four_fifths(selection), odds))
    return yardsticks_of(rows)


def _rates_forest(made: Table) -> Forest:
    names = ("dimension", "group", "fpr", "fpr_low", "fpr_high")
    columns = zip(*(made.cells(name) for name in names), strict=True)
    rows = tuple(
        (f"{dimension}: {group}", value, low, high)
        for dimension, group, value, low, high in columns
        if " × " not in str(dimension) and value is not None
    )
    return Forest("rates", "False positive rate by group", 0.0, False, rows)


def _distribution(window: Window) -> Lines:
    """Share of all screenings at or below each score, by gender."""
    counts: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for gender, bucket, count in population.histogram(window):
        counts.setdefault(gender, np.zeros(51))[min(bucket or 0, 50)] += count
    grid = tuple(round(float(x), 4) for x in np.linspace(0, 1, 51))
    series = tuple(
        (
            f"{title(gender)} (n {int(found.sum())})",
            grid,
            tuple(round(float(x), 4) for x in np.cumsum(found) / found.sum()),
        )
        for gender, found in sorted(counts.items())
        if found.sum() >= traffic_rates.MINIMUM_CELL
    )
    x_title = "score, in parts of the threshold (1 is held)"
    return Lines("scores", "Scores by gender", x_title, "share at or below", series)


def _calibration(items: Labelled) -> Lines:
    """Weighted share that violates in each tenth of the threshold, by gender."""
    labels, group = traffic_tables.grouped(items, "gender")
    bins = np.minimum((items.score * 10).astype(np.intp), 10)
    series = []
    for place, label in enumerate(labels):
        held = group == place
        total = np.bincount(bins[held], items.weight[held], minlength=11)
        hits = np.bincount(bins[held], (items.weight * items.is_violating)[held], minlength=11)
        many = np.bincount(bins[held], minlength=11) >= traffic_rates.MINIMUM_CELL
        points = [(x / 10, hits[x] / total[x]) for x in np.flatnonzero(many)]
        if len(points) > 1:
            xs, ys = (tuple(round(float(v), 4) for v in side) for side in zip(*points, strict=True))
            series.append((title(str(label)), xs, ys))
    x_title = "score, in parts of the threshold (1 is held)"
    y_title = "share that violates"
    return Lines("calibration", "Calibration by gender", x_title, y_title, tuple(series))
