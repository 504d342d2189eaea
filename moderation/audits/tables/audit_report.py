"""The audit report: one frozen value from which page, PDF, CSV and JSON are made.

It holds no clock: the same data give the same report, byte for byte. Numbers are rounded once,
here, and what is no number is None, so that nothing downstream can print NaN.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["text", "count", "rate", "difference", "ratio", "p", "number"]
Value = str | int | float | None
Level = Literal["bad", "warn", "good", "plain"]
FindingCode = Literal["", "drift"]
DIGITS = 6
INSUFFICIENT = "insufficient data"
DECIDED_APART = "Recorded after this report was frozen, on a sheet of its own: decisions.pdf"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `kind` says how its cells are printed."""

    name: str
    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values in the order of the columns; `note` says how to read them."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""

    def cells(self, name: str) -> list[Value]:
        """One column's values."""
        place = [column.name for column in self.columns].index(name)
        return [row[place] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Forest:
    """Values with intervals, one a row, around a `reference` line."""

    name: str
    title: str
    reference: float
    is_log: bool
    rows: tuple[tuple[str, Value, Value, Value], ...]
    kind: Kind = "rate"


@dataclass(frozen=True, slots=True)
class Lines:
    """Curves over one axis, both axes from 0 to 1; `marks` are points to call out."""

    name: str
    title: str
    x_title: str
    y_title: str
    series: tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...]
    marks: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What the figures say, in a sentence; `code` is for the programs that act on it, and empty in
    a report that was read back, whose frozen document does not have it.
    """

    level: Level
    sentence: str
    code: FindingCode = ""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was asked, of what, how it was sampled, what came out and what it does not say."""

    title: str
    kind: Literal["counterfactual", "traffic"]
    purpose: str
    period: str
    population: str
    sampling: str
    identity: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    forests: tuple[Forest, ...]
    lines: tuple[Lines, ...]
    findings: tuple[Finding, ...]
    limitations: tuple[str, ...]
    responsible: str = "Not named"
    decision: str = DECIDED_APART
    version: int = field(default=1)

    @property
    def figures(self) -> tuple[Forest | Lines, ...]:
        return (*self.forests, *self.lines)

    def table(self, name: str) -> Table:
        """Raises KeyError."""
        found = {table.name: table for table in self.tables}
        return found[name]


def number(value: Any) -> float | None:
    """A finite float at the report's precision, or None."""
    as_float = float(value)
    return round(as_float, DIGITS) if math.isfinite(as_float) else None


def table(
    name: str,
    title: str,
    columns: Sequence[tuple[str, str, Kind]],
    rows: Iterable[Sequence[Any]],
    *,
    note: str = "",
) -> Table:
    """Build a table; every number is rounded and every NaN becomes None."""
    heads = tuple(Column(*column) for column in columns)
    cleaned = tuple(
        tuple(_clean(value, head.kind) for value, head in zip(row, heads, strict=True))
        for row in rows
    )
    return Table(name, title, heads, cleaned, note)


def _clean(value: Any, kind: Kind) -> Value:
    if value is None or isinstance(value, str):
        return value
    found = number(value)
    return round(found) if found is not None and kind == "count" else found


def encode(report: AuditReport) -> bytes:
    """Canonical JSON: sorted names, no spaces, a newline at the end."""
    document = asdict(report)
    for finding in document["findings"]:
        del finding["code"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def decode(data: bytes | str) -> AuditReport:
    """The report that `encode` wrote."""
    raw: Mapping[str, Any] = json.loads(data)
    return AuditReport(
        **{
            **raw,
            "identity": _pairs(raw["identity"]),
            "groups": _pairs(raw["groups"]),
            "tables": tuple(_table(each) for each in raw["tables"]),
            "forests": tuple(
                Forest(**{**each, "rows": _rows(each["rows"])}) for each in raw["forests"]
            ),
            "lines": tuple(_lines(each) for each in raw["lines"]),
            "findings": tuple(Finding(**each) for each in raw["findings"]),
            "limitations": tuple(raw["limitations"]),
        }
    )


def sha256(data: bytes) -> str:
    """SHA-256 of a file, hexadecimal, as the log and the page of an audit name it."""
    return hashlib.sha256(data).hexdigest()


def _table(raw: Mapping[str, Any]) -> Table:
    columns = tuple(Column(**each) for each in raw["columns"])
    return Table(raw["name"], raw["title"], columns, _rows(raw["rows"]), raw["note"])


def _lines(raw: Mapping[str, Any]) -> Lines:
    series = tuple((label, tuple(xs), tuple(ys)) for label, xs, ys in raw["series"])
    return Lines(**{**raw, "series": series, "marks": _rows(raw["marks"])})


def _rows(raw: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(tuple(row) for row in raw)


def _pairs(raw: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return _rows(raw)


def shown(value: Value, kind: Kind) -> str:
    """A value as people read it: rates in per cent, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    match kind:
        case "count":
            return f"{value:,.0f}"
        case "rate":
            return f"{value * 100:.2f} %"
        case "difference":
            return f"{value * 100:+.2f} points"
        case "ratio":
            return f"{value:.2f}"
        case "p":
            return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
        case _:
            return f"{value:.4g}"


_LOW = re.compile(r"from(?:, (?P<how>.+))?")
_UNITS = (" %", " points")
_SAID = {"standing"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as people read it: each interval stands in one cell with its estimate."""

    titles: tuple[str, ...]
    is_text: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int
    """So many of the first columns say which row it is."""


def sheet(made: Table) -> Sheet:
    """Folds the columns "from" and "to" into the estimate before them, or into one of their own."""
    titles: list[str] = []
    parts: list[tuple[int, ...]] = []
    places = iter(range(len(made.columns)))
    for place in places:
        column = made.columns[place]
        if (low := _LOW.fullmatch(column.title)) is None:
            titles.append(column.title)
            parts.append((place,))
            continue
        next(places)  # the column "to"
        if how := low["how"]:
            titles.append(f"95 %, {how}")
            parts.append((place, place + 1))
        else:
            titles[-1] += ", 95 % interval"
            parts[-1] = (*parts[-1], place, place + 1)
    kinds = [column.kind for column in made.columns]
    return Sheet(
        tuple(titles),
        tuple(kinds[part[0]] == "text" for part in parts),
        tuple(tuple(_cell(row, kinds, part) for part in parts) for row in made.rows),
        names=sum(1 for _ in itertools.takewhile(_is_name, made.columns)),
    )


def _is_name(column: Column) -> bool:
    return column.kind == "text" and column.name not in _SAID


def _cell(row: tuple[Value, ...], kinds: Sequence[Kind], part: tuple[int, ...]) -> str:
    said = [shown(row[place], kinds[place]) for place in part]
    if len(said) == 1:
        return said[0]
    *estimate, low, high = said
    if row[part[-1]] is None:
        return estimate[0] if estimate else low
    for unit in _UNITS:
        low = low.removesuffix(unit)
    ends = f"{low} to {high}"
    if not estimate:
        return ends
    for unit in _UNITS:
        ends = ends.removesuffix(unit)
    return f"{estimate[0]} ({ends})"
