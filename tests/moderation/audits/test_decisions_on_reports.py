"""What is decided on a frozen report: recorded beside it, logged, shown, and never changed."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import TestCase

from config.core.transitions import NeverChanged
from moderation.audits.audit_reports import auditors, freeze, report_decisions, traffic_report
from moderation.audits.models import Audit, AuditDecision, AuditFile
from moderation.audits.sampling.population import Window
from moderation.audits.tables import audit_report as reports
from moderation.audits.tables import renditions
from provenance.models import LogEntry
from tests.moderation.audits.makers import NOON, stored_policy

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
WORDS = "No change of the threshold: the interval holds nought. Looked at again in March."


@pytest.fixture
def audit(db: None) -> Audit:
    stored_policy()
    window = Window("image", date(2026, 11, 1), date(2026, 11, 30))
    return traffic_report.make(window, at=NOON)


def decided(audit: Audit, by: User, words: str = WORDS) -> AuditDecision:
    return report_decisions.record(audit, responsible="Dora Maar", decision=words, by=by, at=LATER)


def test_decision_leaves_the_frozen_files_as_they_were(audit: Audit, dora: User) -> None:
    before = freeze.files_of(audit)
    decided(audit, dora)
    found = Audit.objects.get()
    assert freeze.files_of(found) == before
    assert {name: reports.sha256(data) for name, data in before.items()} == found.digests


def test_decision_is_logged_by_its_digest_and_not_in_words(audit: Audit, dora: User) -> None:
    row = decided(audit, dora)
    entry = LogEntry.objects.get(kind="audit.decision")
    assert entry.subject == audit.id
    body = bytes(entry.body).decode()
    assert row.sha256 in body
    assert audit.digests["report.json"] in body
    assert "Maar" not in body


def test_digest_follows_from_what_the_files_say(audit: Audit, dora: User) -> None:
    """Whoever has decisions.json can check it against the log without this house."""
    row = decided(audit, dora)
    [said] = json.loads(report_decisions.files_of(audit)["decisions.json"])
    digest = said.pop("sha256")
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert reports.sha256(text.encode()) == digest == row.sha256


def test_later_decision_is_a_further_row(audit: Audit, dora: User) -> None:
    decided(audit, dora)
    decided(audit, dora, "The threshold is raised to 0.55 after all.")
    said = json.loads(report_decisions.files_of(audit)["decisions.json"])
    assert [each["decision"] for each in said] == [
        WORDS,
        "The threshold is raised to 0.55 after all.",
    ]


def test_decisions_and_files_never_change(audit: Audit, dora: User) -> None:
    row = decided(audit, dora)
    row.decision = "Something else"
    with pytest.raises(NeverChanged):
        row.save()
    attempts: list[Any] = [
        lambda: AuditDecision.objects.update(decision="Something else"),
        lambda: AuditDecision.objects.all().delete(),
        lambda: AuditFile.objects.update(data=b""),
        lambda: AuditFile.objects.all().delete(),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    dora.delete()
    assert AuditDecision.objects.get().recorded_by is None


def test_files_are_those_that_were_frozen_whatever_is_drawn_today(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renditions, "files", lambda report: {})
    files = freeze.files_of(Audit.objects.get())
    assert files["report.pdf"].startswith(b"%PDF")
    assert set(files) == set(audit.digests)


@pytest.mark.parametrize("who", ["carol", "bob", "olga"])
def test_compliance_alone_records(who: str, audit: Audit, request: pytest.FixtureRequest) -> None:
    with pytest.raises(auditors.NotCompliance):
        decided(audit, request.getfixturevalue(who))


@pytest.mark.parametrize(
    ("responsible", "words"),
    [
        ("", "x"), ("x", " "), ("x" * 121, "x"), ("x", "x" * 4001),
        ("\u200b", "x"), ("x", "\u200b\u2060"),
    ],
)  # fmt: skip
def test_empty_or_endless_words_are_refused(
    responsible: str, words: str, audit: Audit, dora: User
) -> None:
    with pytest.raises(report_decisions.DecisionWordsMissing):
        report_decisions.record(audit, responsible=responsible, decision=words, by=dora, at=LATER)
    assert not AuditDecision.objects.exists()


def test_page_records_shows_and_offers_the_sheet(
    audit: Audit, dora: User, carol: User, as_user: Any
) -> None:
    client = as_user(dora)
    url = audit.get_absolute_url()
    assert "Nothing was decided" in client.get(url).content.decode()
    said = {"responsible": "Dora <Maar>", "decision": "<b>Nothing</b> to change."}
    answer = client.post(f"{url}decide/", {"responsible": "Dora", "decision": ""})
    assert (answer.status_code, "Dora" in answer.content.decode()) == (422, True)
    page = client.post(f"{url}decide/", said, follow=True).content.decode()
    assert "Dora &lt;Maar&gt;" in page
    assert "&lt;b&gt;Nothing" in page
    assert AuditDecision.objects.get().sha256 in page
    sheet = client.get(f"{url}decisions.pdf")
    assert sheet.content.startswith(b"%PDF")
    assert f"audit-{audit.id}-decisions.pdf" in sheet["Content-Disposition"]
    senior = as_user(carol)
    assert "Record the decision" not in senior.get(url).content.decode()
    assert senior.post(f"{url}decide/", said).status_code == 403


def test_export_holds_the_decisions(audit: Audit, dora: User, tmp_path: Path) -> None:
    decided(audit, dora)
    folder = tmp_path / "out"
    call_command("export_audit", str(audit.id), "--out", str(folder), stdout=io.StringIO())
    assert WORDS in (folder / "decisions.json").read_text()
    assert "decisions.pdf" in (folder / "SHA256SUMS").read_text()


def test_api_lists_reads_downloads_and_records(
    audit: Audit, dora: User, carol: User, bob: User, as_user: Any
) -> None:
    client, url = as_user(dora), "/api/v1/audits/"
    [listed] = client.get(url).json()["results"]
    assert listed["digests"] == audit.digests
    assert listed["decisions"] == []
    said = {"responsible": "Dora Maar", "decision": WORDS}
    record = f"{url}{audit.id}/decisions/"
    made = client.post(record, said, content_type="application/json")
    assert (made.status_code, made.json()["report_sha256"]) == (201, audit.digests["report.json"])
    read = as_user(carol).get(f"{url}{audit.id}/").json()
    assert read["report"]["title"] == audit.title
    assert read["decisions"][0]["decision"] == WORDS
    for name in ("report.json", "report.csv", "report.pdf"):
        got = client.get(f"{url}{audit.id}/files/{name}", headers={"Accept": "*/*"})
        assert reports.sha256(got.content) == audit.digests[name]
    pdf = client.get(f"{url}{audit.id}/files/report.pdf", headers={"Accept": "application/pdf"})
    assert pdf.status_code == 200
    assert client.get(f"{url}{audit.id}/files/decisions.pdf").content.startswith(b"%PDF")
    assert client.get(f"{url}{audit.id}/files/passwd").json()["code"] == "audit_not_found"
    refused = as_user(carol).post(record, said, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_compliance")
    stranger = as_user(bob)
    for path in (url, f"{url}{audit.id}/", f"{url}{audit.id}/files/report.pdf"):
        assert stranger.get(path).json()["code"] == "not_an_auditor"


def test_api_makes_a_report_and_replays_a_threshold(
    dora: User, as_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.audits import tasks

    asked: list[Any] = []
    monkeypatch.setattr(tasks.audit_traffic, "apply_async", lambda said, **_: asked.append(said))
    client = as_user(dora)

    def post(path: str, said: dict[str, Any]) -> Any:
        return client.post(f"/api/v1/audits/{path}", said, content_type="application/json")

    period = {"stage": "image", "first": "2026-11-01", "last": "2026-11-30"}
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert post("", period).status_code == 202
    assert asked == [("image", "2026-11-01", "2026-11-30", dora.pk, "")]
    assert post("", period | {"last": "2026-10-30"}).json()["code"] == "invalid"
    moved = {"stage": "image", "category": "sexual", "threshold": 0.4}
    found = post("replay/", moved).json()
    assert (found["screenings"], found["threshold_before"], found["groups"]) == (0, 0.5, [])
    assert post("replay/", moved | {"category": "nonsense"}).json()["code"] == "category_unknown"
    assert post("replay/", moved | {"threshold": 2}).status_code == 400
