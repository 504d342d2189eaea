"""The pages: who may see audits, what a blind label page hides, and the lab."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import TestCase
from django.utils import timezone

from moderation.audits.audit_reports import traffic_report
from moderation.audits.models import Audit
from moderation.audits.sampling.population import Window
from moderation.audits.templatetags.audits import signed
from moderation.models import Policy
from tests.moderation.audits.makers import NOON, traffic

pytestmark = pytest.mark.django_db
NOVEMBER = Window("image", date(2026, 11, 1), date(2026, 11, 30))


def an_hour_ago() -> datetime:
    """So that minutes of traffic lie in the lab's last days at midnight too."""
    return timezone.now() - timedelta(hours=1)


@pytest.mark.parametrize("who", ["alice", "bob", "mallory"])
@pytest.mark.parametrize("path", ["/audits/", "/audits/lab/"])
def test_audits_are_for_those_with_the_role(
    who: str, path: str, as_user: Any, request: pytest.FixtureRequest
) -> None:
    assert as_user(request.getfixturevalue(who)).get(path).status_code == 403


def test_dora_reads_an_audit_and_its_files(as_user: Any, dora: User, bob: User) -> None:
    bob.username = "<script>bob</script>"
    bob.save()
    traffic([bob], fpr={"woman": 0.06, "man": 0.02}, each=300)
    audit = traffic_report.make(NOVEMBER, at=NOON, by=bob)
    client = as_user(dora)
    assert audit.title in client.get("/audits/").content.decode()
    page = client.get(audit.get_absolute_url()).content.decode()
    assert "<script>bob" not in page
    assert audit.digests["report.pdf"] in page
    assert "nan" not in page.lower().split()
    for name, digest in audit.digests.items():
        answer = client.get(f"/audits/{audit.id}/{name}")
        assert hashlib.sha256(answer.content).hexdigest() == digest
    assert client.get(f"/audits/{audit.id}/passwd").status_code == 404
    assert client.get(f"/audits/{uuid4()}/").status_code == 404


def test_each_figure_of_a_report_names_its_column_and_its_row(
    as_user: Any, dora: User, bob: User
) -> None:
    """On a telephone there is no head of the table to look up to."""
    traffic([bob], fpr={"woman": 0.06, "man": 0.02}, each=300)
    audit = traffic_report.make(NOVEMBER, at=NOON, by=bob)
    page = as_user(dora).get(audit.get_absolute_url()).content.decode()
    row = page.partition('<th scope="row">false positive</th>')[2].partition("</tr>")[0]
    assert row.startswith('<th scope="row">Woman against Man</th><td data-label="What may be said"')
    assert '<td data-label="Effective n of the reference" class="figure">' in row
    assert "<td>" not in page


@pytest.mark.parametrize(
    ("hours", "shown"), [(20.84, "+20.8"), (-3.25, "-3.2"), (0.0, "0"), (-0.04, "0")]
)
def test_moderator_hours_say_whether_they_are_more_or_less(hours: float, shown: str) -> None:
    assert signed(hours) == shown


def test_dora_asks_for_an_audit(
    as_user: Any, dora: User, monkeypatch: pytest.MonkeyPatch, bob: User
) -> None:
    from moderation.audits import tasks

    traffic([bob], fpr={"woman": 0.06, "man": 0.02}, each=100)
    made = tasks.audit_traffic
    monkeypatch.setattr(made, "apply_async", lambda said, **_: made(*said))
    form = {"stage": "image", "first": "2026-11-01", "last": "2026-11-30"}
    client = as_user(dora)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert client.post("/audits/make/", form).status_code == 302
    assert Audit.objects.get().made_by == dora
    backwards = form | {"last": "2026-10-01"}
    answer = client.post("/audits/make/", backwards)
    assert answer.status_code == 422
    assert "before the first" in answer.content.decode()


def test_the_lab_shows_what_a_threshold_would_do(as_user: Any, carol: User, bob: User) -> None:
    client = as_user(carol)
    assert "No scores in this period" in client.get("/audits/lab/").content.decode()
    traffic([bob], fpr={"woman": 0.3, "man": 0.3}, each=200, at=an_hour_ago())
    wanted = {"stage": "image", "category": "sexual", "dimension": "gender", "days": "7"}
    page = client.get("/audits/lab/", wanted | {"threshold": "0.7"}).content.decode()
    assert "From 0.5 to 0.7" in page
    assert "data:image/svg+xml;base64," in page
    for wrong in ({"threshold": "7"}, {"category": "nonsense"}, {"days": "3"}):
        assert client.get("/audits/lab/", wanted | wrong).status_code == 422


def test_a_threshold_from_the_lab_is_proposed_with_its_replay(
    as_user: Any, carol: User, bob: User
) -> None:
    traffic([bob], fpr={"woman": 0.3, "man": 0.3}, each=200, at=an_hour_ago())
    asked = {
        "stage": "image",
        "category": "sexual",
        "dimension": "gender",
        "days": "7",
        "threshold": "0.7",
    }
    client = as_user(carol)
    answer = client.post("/audits/lab/propose/", asked | {"rationale": ""})
    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    client.post("/audits/lab/propose/", asked | {"rationale": "Too many mistakes."})
    [made] = Policy.objects.filter(rationale="Too many mistakes.")
    assert made.drafted_by == carol
    assert made.attachment is not None
    replay = made.attachment["threshold_lab"]
    assert (replay["threshold_before"], replay["threshold_after"]) == (0.5, 0.7)
    assert {row["group"] for row in replay["groups"]} == {"Woman", "Man"}
