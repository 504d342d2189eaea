"""What compliance takes out: statements in the EU database's form, and the transparency report.

An export holds no personal data and no clock: the same rows give the same bytes, and each file's
SHA-256 stands in ``SHA256SUMS``.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Avg, Count, F, Model, Q, QuerySet

from config.core.errors import ProofsheetError
from moderation.models import Appeal, Decision, Report, Screening, Statement
from moderation.reports import report_indicators
from moderation.statements.formats import eu_statement
from moderation.subjects.actions import ACTIONS, RESTRICTIONS

Row = TypeVar("Row", bound=Model)
BATCH = 100  # the EU database takes no more statements in one call


class PeriodInvalid(ProofsheetError):
    """The period ends before it begins."""

    default_code = "period_invalid"
    default_message = "The period ends before it begins."
    default_advice = "Give --from and --to as YYYY-MM-DD, both days included."
    default_status = 422


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included, in UTC; of one project, if any is named."""

    first: date
    last: date
    project: UUID | None = None

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise PeriodInvalid
        if self.last == date.max:
            raise PeriodInvalid(message="The period ends after the last day that there is.")

    @property
    def begins_at(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    def of(self, rows: QuerySet[Row], when: str, *, project: str = "project") -> QuerySet[Row]:
        """The rows of the period, by their moment `when` and by the lookup of their project."""
        found = rows.filter(**{f"{when}__gte": self.begins_at, f"{when}__lt": self.ends_at})
        return found.filter(**{project: self.project}) if self.project else found


def statement_files(period: Period) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each batch of at most 100 statements, as the database's bulk call takes it.

    Raises transparency.StatementInvalid.
    """
    rows = period.of(Statement.objects.all(), "created_at").order_by("created_at", "id")
    batch: list[dict[str, Any]] = []
    number = 1
    for fields in rows.values_list("fields", flat=True).iterator(chunk_size=BATCH):
        eu_statement.validate(fields)
        batch.append(fields)
        if len(batch) == BATCH:
            yield _batch(number, batch)
            batch, number = [], number + 1
    if batch:
        yield _batch(number, batch)


def report_files(period: Period) -> Iterator[tuple[str, bytes]]:
    """The transparency report as JSON and CSV, in the indicators of the EU template."""
    indicators = report(period)
    document = {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        **({"project": str(period.project)} if period.project else {}),
        "indicators": indicators,
    }
    yield "transparency-report.json", _json(document)
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["indicator", "value"])
    writer.writerows(indicators.items())
    yield "transparency-report.csv", out.getvalue().encode()


def report(period: Period) -> dict[str, int | float | None]:
    """Indicator to value; None where there is nothing to count a median of."""
    return {
        **_measures(period),
        **_measures_by_category(period),
        **_screenings(period),
        **report_indicators.count(
            period.of(Report.objects.all(), "received_at", project="case__project")
        ),
        **_complaints(period),
    }


def _measures(period: Period) -> dict[str, int | float | None]:
    refusals = _refusals(period)
    automated = refusals.filter(is_automated=True).count()
    return {
        "Number of measures": refusals.count(),
        "Number of measures solely taken by automated means": automated,
        "Number of measures not taken solely by automated means": refusals.count() - automated,
        **{
            f"Number of measures on {kind}s": refusals.filter(subject_kind=kind).count()
            for kind in ("prompt", "image", "adapter")
        },
        **{
            f"Number of measures by type: {ACTIONS[action].label.lower()}": refusals.filter(
                action=action
            ).count()
            for action in RESTRICTIONS
        },
        "Number of held items allowed by a person": period.of(Decision.objects.all(), "decided_at")
        .filter(action=Decision.Action.ALLOW, reverses__isnull=True, case__reports__isnull=True)
        .count(),
    }


def _measures_by_category(period: Period) -> dict[str, int | float | None]:
    rows = _refusals(period).values("reason").annotate(count=Count("id")).order_by("reason")
    return {f"Number of measures under {row['reason']}": row["count"] for row in rows}


def _screenings(period: Period) -> dict[str, int | float | None]:
    rows = period.of(Screening.objects.all(), "screened_at", project="frameentry__project")
    counts = {
        (row["stage"], row["verdict"]): row["count"]
        for row in rows.values("stage", "verdict").annotate(count=Count("id"))
    }
    return {
        f"Number of automated screenings of {stage}s: {verdict}": counts.get((stage, verdict), 0)
        for stage in ("prompt", "image")
        for verdict in ("allow", "hold", "refuse")
    }


def _complaints(period: Period) -> dict[str, int | float | None]:
    appeals = period.of(Appeal.objects.all(), "lodged_at")
    concluded = [Appeal.Status.UPHELD, Appeal.Status.REVERSED]
    heard = appeals.filter(status__in=concluded)
    reversed_machine = heard.filter(status=Appeal.Status.REVERSED, decision__is_automated=True)
    heard_machine = heard.filter(decision__is_automated=True).count()
    mean = heard.aggregate(mean=Avg(F("heard_at") - F("lodged_at")))["mean"]
    return {
        "Complaints: total number": appeals.count(),
        "Complaints: decisions upheld": heard.filter(status=Appeal.Status.UPHELD).count(),
        "Complaints: decisions reversed": heard.filter(status=Appeal.Status.REVERSED).count(),
        "Complaints: withdrawn": appeals.filter(status=Appeal.Status.WITHDRAWN).count(),
        "Complaints: not yet decided": appeals.filter(
            Q(status=Appeal.Status.LODGED) | Q(status=Appeal.Status.HEARD)
        ).count(),
        "Complaints: median time to decision in hours": _median_hours(heard),
        "Complaints: mean time to decision in hours": _hours(mean) if mean else None,
        "Complaints against automated measures: share reversed": round(
            reversed_machine.count() / heard_machine, 4
        )
        if heard_machine
        else None,
    }


def _median_hours(heard: Any) -> float | None:
    spans = sorted(
        ended - lodged for lodged, ended in heard.values_list("lodged_at", "heard_at") if ended
    )
    if not spans:
        return None
    middle = len(spans) // 2
    median = spans[middle] if len(spans) % 2 else (spans[middle - 1] + spans[middle]) / 2
    return _hours(median)


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 2)


def _refusals(period: Period) -> Any:
    return period.of(Decision.objects.filter(action__in=RESTRICTIONS), "decided_at")


def _batch(number: int, statements: list[dict[str, Any]]) -> tuple[str, bytes]:
    return f"statements-{number:05d}.json", _json({"statements": statements})


def _json(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False)
    return f"{text}\n".encode()
