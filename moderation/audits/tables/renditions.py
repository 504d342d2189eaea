"""The report as files: JSON, CSV and PDF. The same report gives the same bytes.

The PDF uses the fonts that every reader has, so letters outside Western European sets become "?"
there; page, CSV and JSON keep them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics import shapes
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as PdfTable

from moderation.audits.tables import drawing
from moderation.audits.tables.audit_report import AuditReport, Table, encode, sheet

FIGURE_HEIGHT = landscape(A4)[1] - 40 * mm
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=7, leading=8.5)
HEAD = ParagraphStyle("head", parent=CELL, fontName="Helvetica-Bold")
TITLE = ParagraphStyle("title", parent=BODY, fontName="Helvetica-Bold", fontSize=18, leading=22)
PART = ParagraphStyle("part", parent=TITLE, fontSize=12, leading=18, spaceBefore=8)
_INKS = {"bad": "Disparity", "warn": "Caution", "good": "Good", "plain": "Note"}


def files(report: AuditReport) -> dict[str, bytes]:
    """Every rendition by file name."""
    return {
        "report.json": encode(report),
        "report.csv": csv_of(report),
        "report.pdf": pdf_of(report),
        **{
            f"figure-{figure.name}.svg": drawing.svg(drawing.draw(figure))
            for figure in report.figures
        },
    }


def csv_of(report: AuditReport) -> bytes:
    """One line a cell: table, row, column, value. Numbers are those of the JSON."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("table", "row", "column", "value"))
    for name, said in report.identity:
        writer.writerow(("identity", 0, name, _guarded(said)))
    for table in report.tables:
        for number, row in enumerate(table.rows):
            for column, value in zip(table.columns, row, strict=True):
                writer.writerow((table.name, number, column.name, _guarded(value)))
    for place, finding in enumerate(report.findings):
        writer.writerow(("findings", place, finding.level, _guarded(finding.sentence)))
    return out.getvalue().encode()


def _guarded(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a quote in front."""
    is_formula = isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return f"'{value}" if is_formula else "" if value is None else value


def pdf_of(report: AuditReport) -> bytes:
    """The report as a PDF file; the same report gives the same bytes."""
    return _pdf(report.title, _story(report))


def decisions_pdf(title: str, decisions: Sequence[Mapping[str, str]]) -> bytes:
    """The sheet that goes with a frozen report: what was decided on it, oldest first.

    Each decision has the names of `report_decisions.files_of`.
    """
    return _pdf(f"Decisions on: {title}", _decisions_story(title, decisions))


def _pdf(title: str, story: Iterator[Flowable]) -> bytes:
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        title=_western(title),
        author="Proofsheet",
        invariant=1,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=14 * mm,
        bottomMargin=14 * mm,
    )
    document.build(list(story))
    return out.getvalue()


def _decisions_story(title: str, decisions: Sequence[Mapping[str, str]]) -> Iterator[Flowable]:
    yield _text(f"Decisions on: {title}", TITLE)
    yield _text(
        "Recorded after the report was frozen. Each digest stands in the transparency log.", BODY
    )
    for said in decisions:
        yield _text(f"Recorded {said['recorded_at'][:16].replace('T', ' ')} UTC", PART)
        yield _text(said["decision"], BODY)
        facts = [
            ("Responsible", said["responsible"]),
            ("Audit", said["audit"]),
            ("SHA-256 of report.json", said["report_sha256"]),
            ("SHA-256 of this decision", said["sha256"]),
        ]
        yield _grid([[_text(name, HEAD), _text(value, CELL)] for name, value in facts], [55 * mm])


def _story(report: AuditReport) -> Iterator[Flowable]:
    yield _text(report.title, TITLE)
    yield _text(report.purpose, BODY)
    yield _text("Findings", PART)
    for finding in report.findings:
        yield _text(f"{_INKS[finding.level]}: {finding.sentence}", BODY)
    yield _text("What was audited", PART)
    facts = [
        ("Period", report.period),
        ("Population", report.population),
        ("Sampling", report.sampling),
        *report.identity,
        *report.groups,
        ("Responsible", report.responsible),
        ("Decision", report.decision),
    ]
    yield _grid([[_text(name, HEAD), _text(value, CELL)] for name, value in facts], [55 * mm])
    for figure in report.figures:
        yield Spacer(1, 4 * mm)
        yield _picture(drawing.draw(figure))
    for table in report.tables:
        yield from _table(table)
    yield _text("Limitations", PART)
    for sentence in report.limitations:
        yield _text(sentence, BODY)


def _table(table: Table) -> Iterator[Flowable]:
    yield _text(table.title, PART)
    if table.note:
        yield _text(table.note, CELL)
    made = sheet(table)
    rows = [[_text(title, HEAD) for title in made.titles]]
    rows += [[_text(said, CELL) for said in row] for row in made.rows]
    yield _grid(rows, [])


def _grid(rows: list[list[Any]], widths: list[float]) -> Flowable:
    whole = landscape(A4)[0] - 30 * mm
    others = len(rows[0]) - len(widths)
    each = (whole - sum(widths)) / max(others, 1)
    made = PdfTable(rows, colWidths=[*widths, *([each] * others)], repeatRows=1)
    made.setStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.HexColor(drawing.PALE)),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
    )
    return made


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_western(text)), style)


def _western(text: str) -> str:
    return text.encode("cp1252", "replace").decode("cp1252")


def _picture(made: drawing.Drawing) -> Flowable:
    """A figure of many rows is made smaller, so that it fits on one page."""
    factor = min(1.0, FIGURE_HEIGHT / made.height)
    picture = shapes.Drawing(made.width * factor, made.height * factor)
    picture.scale(factor, factor)
    for mark in made.marks:
        picture.add(_shape(mark, made.height))
    return picture


def _shape(mark: drawing.DrawnLine | drawing.Dot | drawing.Words, height: float) -> Any:
    match mark:
        case drawing.DrawnLine(points, ink, width, dash):
            flat = [each for x, y in points for each in (x, height - y)]
            return shapes.PolyLine(
                flat,
                strokeColor=colors.HexColor(ink),
                strokeWidth=width,
                strokeDashArray=list(dash) or None,
            )
        case drawing.Dot(x, y, ink, radius):
            fill = colors.HexColor(ink)
            return shapes.Circle(x, height - y, radius, fillColor=fill, strokeColor=None)
        case drawing.Words(x, y, text, size, anchor, ink):
            return shapes.String(
                x,
                height - y,
                _western(text),
                fontName="Helvetica",
                fontSize=size,
                textAnchor=anchor,
                fillColor=colors.HexColor(ink),
            )
