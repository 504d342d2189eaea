"""Findings carry a code for the programs that act on them; their words are for people."""

import json
from dataclasses import replace

from moderation.audits.tables import audit_report, findings
from moderation.audits.tables.audit_report import AuditReport, Finding, Kind
from moderation.audits.tables.contrasts import ContrastVerdict

REPORT = AuditReport(
    title="t",
    kind="traffic",
    purpose="p",
    period="p",
    population="p",
    sampling="s",
    identity=(),
    groups=(),
    tables=(),
    forests=(),
    lines=(),
    findings=(Finding("bad", "It got worse.", code="drift"), Finding("warn", "Drift: a word.")),
    limitations=(),
)


def contrast(value: float) -> ContrastVerdict:
    figures = (value, value - 0.01, value + 0.01)
    return ContrastVerdict("false positive", "Woman against man", "disparity", figures, 0.01, 9, "")


def test_what_got_worse_is_told_by_its_code() -> None:
    columns: list[tuple[str, str, Kind]] = [
        ("measure", "", "text"),
        ("contrast", "", "text"),
        ("difference", "", "number"),
    ]
    row = ("false positive", "Woman against man", 0.02)
    before = audit_report.table("primary", "", columns, [row])
    found = findings.of_drift(before, [contrast(0.12)], by="measure", margin=0.05)
    assert [each.code for each in found] == ["drift"]
    assert not findings.of_drift(before, [contrast(0.03)], by="measure", margin=0.05)
    assert not findings.of_drift(None, [contrast(0.12)], by="measure", margin=0.05)
    assert {each.code for each in findings.of_contrasts([contrast(0.2)], margin=0.05)} == {""}


def test_the_frozen_document_is_that_of_version_1_and_reads_back() -> None:
    document = audit_report.encode(REPORT)
    assert json.loads(document)["findings"] == [
        {"level": "bad", "sentence": "It got worse."},
        {"level": "warn", "sentence": "Drift: a word."},
    ]
    read = audit_report.decode(document)
    assert audit_report.encode(read) == document
    assert read == replace(
        REPORT, findings=tuple(replace(each, code="") for each in REPORT.findings)
    )
