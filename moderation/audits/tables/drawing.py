"""The report's figures as lines, dots and words, for SVG and PDF alike. No clock, no random ids."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from moderation.audits.tables.audit_report import Forest, Kind, Lines, shown

WIDTH = 720
ALONE = 450
"""Wide enough for one curve that needs no name."""
LABEL, PLOT = 250, 300
ROW, TOP, BOTTOM = 22, 40, 34
INKS = ("#1b1917", "#b5310f", "#1b643c", "#3b5b8c", "#784f00", "#7a3f73", "#565049")
DASHES: tuple[tuple[float, ...], ...] = ((), (7, 3), (2, 3), (9, 3, 2, 3), (4, 2))
PALE, PAPER = "#c9c4b9", "#ffffff"


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """`dash`: lengths drawn and left out, so that curves are told apart without colour."""

    points: tuple[tuple[float, float], ...]
    ink: str
    width: float = 1.2
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle around a point."""

    x: float
    y: float
    ink: str
    radius: float = 3.2


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text that begins, ends or is centred at a point."""

    x: float
    y: float
    text: str
    size: float = 11
    anchor: str = "start"
    ink: str = INKS[0]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks on a sheet, the origin at the top left."""

    width: float
    height: float
    title: str
    marks: tuple[DrawnLine | Dot | Words, ...]


def draw(figure: Forest | Lines) -> Drawing:
    """A figure of a report as marks on a sheet."""
    return _forest(figure) if isinstance(figure, Forest) else _curves(figure)


def svg(drawing: Drawing) -> bytes:
    """A standalone picture; every word in it is escaped."""
    width, height = drawing.width, drawing.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label={quoteattr(drawing.title)}>',
        f"<title>{escape(drawing.title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>',
        *(_svg(mark) for mark in drawing.marks),
        "</svg>",
    ]
    return "\n".join(parts).encode() + b"\n"


def _svg(mark: DrawnLine | Dot | Words) -> str:
    match mark:
        case DrawnLine(points, ink, width, dash):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            gaps = f' stroke-dasharray="{" ".join(map(str, dash))}"' if dash else ""
            return (
                f'<polyline points="{path}" fill="none" stroke="{ink}" '
                f'stroke-width="{width}"{gaps}/>'
            )
        case Dot(x, y, ink, radius):
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{ink}"/>'
        case Words(x, y, text, size, anchor, ink):
            return (
                f'<text x="{x:.1f}" y="{y:.1f}" font-family="Helvetica, Arial, sans-serif" '
                f'font-size="{size}" text-anchor="{anchor}" fill="{ink}">{escape(text)}</text>'
            )


class _Axis:
    """Places values between two edges, evenly or by their logarithm."""

    def __init__(self, low: float, high: float, *, is_log: bool) -> None:
        self._change = math.log if is_log else float
        self._low, self._high = self._change(low), self._change(high)

    def place(self, value: float) -> float:
        if self._change is math.log and value <= 0:
            return float(LABEL)
        part = (self._change(value) - self._low) / (self._high - self._low)
        return LABEL + PLOT * min(max(part, 0.0), 1.0)


def _forest(figure: Forest) -> Drawing:
    axis, ticks = _forest_axis(figure)
    height = TOP + ROW * max(len(figure.rows), 1) + BOTTOM
    floor = height - BOTTOM
    unit = ", percentage points" if figure.kind == "difference" else ""
    marks: list[DrawnLine | Dot | Words] = [Words(8, 20, f"{figure.title}{unit}", 13)]
    for tick in ticks:
        x = axis.place(tick)
        marks.append(DrawnLine(((x, TOP - 8), (x, floor)), PALE, 0.8))
        marks.append(Words(x, floor + 16, _tick(tick, figure.kind), 10, "middle"))
    zero = axis.place(figure.reference)
    marks.append(DrawnLine(((zero, TOP - 8), (zero, floor)), INKS[0], 1))
    for place, (label, value, low, high) in enumerate(figure.rows):
        y = TOP + ROW * place + 8.0
        marks.append(Words(LABEL - 12, y + 4, label, 11, "end"))
        if not isinstance(value, float | int):
            marks.append(Words(LABEL + PLOT + 14, y + 4, "no estimate", 11))
            continue
        said = shown(value, figure.kind)
        if isinstance(low, float | int) and isinstance(high, float | int):
            ends = (axis.place(low), axis.place(high))
            marks.append(DrawnLine(((ends[0], y), (ends[1], y)), INKS[1], 1.8))
            both = ", ".join(shown(end, figure.kind).removesuffix(" %") for end in (low, high))
            said += f"  [{both}]"
        marks.append(Dot(axis.place(value), y, INKS[1]))
        marks.append(Words(LABEL + PLOT + 14, y + 4, said.replace(" points", ""), 11))
    return Drawing(WIDTH, height, figure.title, tuple(marks))


def _tick(value: float, kind: Kind) -> str:
    """Short enough to stand beside the next one."""
    if kind in {"rate", "difference"}:
        return f"{round(value * 100, 2):g} %" if kind == "rate" else f"{round(value * 100, 2):+g}"
    return f"{value:.4g}"


def _forest_axis(figure: Forest) -> tuple[_Axis, list[float]]:
    values = [x for row in figure.rows for x in row[1:] if isinstance(x, float | int)]
    values.append(figure.reference)
    low, high = min(values), max(values)
    if figure.is_log:
        reach = max(abs(math.log(max(x, 1e-3))) for x in (low, high, 2.0))
        ticks = [x for x in (0.01, 0.1, 0.25, 0.5, 1, 2, 4, 10, 100) if abs(math.log(x)) <= reach]
        return _Axis(math.exp(-reach), math.exp(reach), is_log=True), ticks
    if high - low < 1e-6:
        low, high = low - 0.01, high + 0.01
    step = 10.0 ** math.floor(math.log10(high - low))
    step = next(s for s in (step / 4, step / 2, step, step * 2) if (high - low) / s <= 6)
    first = math.floor(low / step)
    ticks = [step * each for each in range(first, math.ceil(high / step) + 1)]
    return _Axis(ticks[0], ticks[-1], is_log=False), ticks


def _curves(figure: Lines) -> Drawing:
    side, left = 300.0, 60.0
    height = TOP + side + BOTTOM
    floor = TOP + side
    is_named = any(label for label, _, _ in figure.series)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + side * x, floor - side * y

    marks: list[DrawnLine | Dot | Words] = [Words(8, 20, figure.title, 13)]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        marks.append(DrawnLine((at(tick, 0), at(tick, 1)), PALE, 0.8))
        marks.append(DrawnLine((at(0, tick), at(1, tick)), PALE, 0.8))
        marks.append(Words(at(tick, 0)[0], floor + 14, f"{tick:g}", 9, "middle"))
        marks.append(Words(left - 6, at(0, tick)[1] + 3, f"{tick:g}", 9, "end"))
    marks.append(Words(left + side / 2, floor + 28, figure.x_title, 10, "middle"))
    marks.append(Words(left, TOP - 8, figure.y_title, 10))
    for place, (label, xs, ys) in enumerate(figure.series):
        ink = INKS[place % len(INKS)]
        points = tuple(at(x, y) for x, y in zip(xs, ys, strict=True))
        dash = DASHES[place % len(DASHES)]
        marks.append(DrawnLine(points, ink, 1.6, dash))
        if not label:
            continue
        y = TOP + 10.0 + 18 * place
        marks.append(
            DrawnLine(((left + side + 24, y - 4), (left + side + 48, y - 4)), ink, 1.8, dash)
        )
        marks.append(Words(left + side + 54, y, label))
    for label, across, up in figure.marks:
        spot = at(across, up)
        marks.append(Dot(*spot, INKS[1], 4.5))
        marks.append(Words(spot[0] + 8, spot[1] + 12, label, 10))
    return Drawing(WIDTH if is_named else ALONE, height, figure.title, tuple(marks))
