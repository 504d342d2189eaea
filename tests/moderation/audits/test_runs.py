"""A suite through the engine: resumable, screened by the policy in force, frozen and logged."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from adapters.models import BaseModel
from config.core.transitions import NeverChanged
from generation.models import RequestStatus
from generation.requests import prompt_screening
from generation.suite_runs import suite_rendering
from generation.work import worker
from moderation.audits.audit_reports import freeze, suite_report
from moderation.audits.models import Audit, AuditRender, AuditRun, FrameEntry
from moderation.audits.suites import counterfactuals
from moderation.audits.tables import audit_report as reports
from moderation.audits.tables import renditions
from provenance.models import LogEntry
from tests import factories
from tests.fakes import FakeImageClassifier, FakePromptClassifier, FrozenClock
from tests.pure.audits.test_suites import GOOD
from tests.rewriting import rewritten

pytestmark = pytest.mark.django_db


class Killed(Exception):
    """Stands for a process that ends."""


@pytest.fixture
def suite_file(tmp_path: Path) -> str:
    path = tmp_path / "two.yaml"
    path.write_text(GOOD)
    return str(path)


def _carry_on(run: AuditRun, clock: FrozenClock, most: int | None = None) -> AuditRun:
    suite_rendering.carry_on(
        run, now=clock, sleep=lambda seconds: None, look=lambda progress: None, most=most
    )
    return run


def _run(tiny: BaseModel, at: datetime, seeds: int = 3) -> AuditRun:
    return suite_rendering.start_or_resume(
        counterfactuals.parse(GOOD), model=tiny, seeds=seeds, profile="general", at=at
    )


def test_the_command_renders_screens_and_reports(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    suite_file: str,
    tmp_path: Path,
) -> None:
    out = io.StringIO()
    call_command("run_audit", suite_file, "--seeds", "2", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert len(image_classifier.seen) == 8
    report = reports.decode(json.dumps(said["report"]))
    assert report.table("primary").cells("pairs") == [2, 4]
    assert "NaN" not in out.getvalue()
    folder = tmp_path / "export"
    call_command("export_audit", said["audit"], "--out", str(folder), stdout=io.StringIO())
    for name, digest in said["digests"].items():
        assert reports.sha256((folder / name).read_bytes()) == digest
    entry = LogEntry.objects.get(kind="audit.report")
    assert said["digests"]["report.pdf"] in bytes(entry.body).decode()


def test_a_run_that_was_cut_off_repeats_and_loses_nothing(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = _run(tiny, clock())
    _carry_on(run, clock, most=4)
    done = list(run.renders.exclude(rendered_at=None).values_list("place", "image_sha256"))
    monkeypatch.setattr("generation.suite_runs.suite_rendering.marking.embed", _killed)
    with pytest.raises(Killed):
        _carry_on(run, clock)
    monkeypatch.undo()
    monkeypatch.setattr("moderation.classifiers.image.classifier", lambda: image_classifier)
    monkeypatch.setattr("moderation.classifiers.prompt.classifier", lambda: prompt_classifier)
    again = _run(tiny, clock())
    assert again.id == run.id
    _carry_on(again, clock)
    suite_rendering.conclude(again, at=clock())
    again.refresh_from_db()
    assert again.status == AuditRun.Status.FINISHED
    assert list(again.renders.filter(place__lt=4).values_list("place", "image_sha256")) == done
    assert suite_rendering.progress(again) == suite_rendering.RunProgress(12, 12)
    assert len(image_classifier.seen) == 12


def test_a_run_that_was_cut_off_before_its_report_renders_nothing_again(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    suite_file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ("run_audit", suite_file, "--seeds", "1", "--json")
    with monkeypatch.context() as patched:
        patched.setattr("moderation.audits.audit_reports.suite_report.make", _killed)
        with pytest.raises(Killed):
            call_command(*command, stdout=io.StringIO())
    seen = len(image_classifier.seen)
    call_command(*command, stdout=io.StringIO())
    assert len(image_classifier.seen) == seen
    assert AuditRun.objects.get().audits.count() == 1


def test_a_run_gets_one_report_however_often_it_is_concluded(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
) -> None:
    run = _carry_on(_run(tiny, clock(), seeds=1), clock)
    made = suite_rendering.conclude(run, at=clock())
    assert suite_rendering.conclude(run, at=clock.forward(60)) == made


def _killed(*args: object, **kwargs: object) -> None:
    raise Killed


def test_a_finished_run_reports_the_same_bytes_again(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
) -> None:
    run = _carry_on(_run(tiny, clock()), clock)
    first = renditions.files(suite_report.assemble(run))
    second = renditions.files(suite_report.assemble(AuditRun.objects.get(id=run.id)))
    assert first == second
    assert first["report.pdf"].startswith(b"%PDF")
    text = first["report.json"].decode() + first["report.csv"].decode()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert "insufficient data" in text


def test_an_unfinished_run_has_no_report(tiny: BaseModel, clock: FrozenClock) -> None:
    with pytest.raises(suite_report.RunUnfinished):
        suite_report.make(_run(tiny, clock()), at=clock())


def test_a_new_policy_ends_a_run(
    tiny: BaseModel, clock: FrozenClock, image_classifier: FakeImageClassifier
) -> None:
    run = _run(tiny, clock())
    run.policy_sha256 = "0" * 64
    with pytest.raises(suite_rendering.PolicyChanged):
        _carry_on(run, clock)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such-suite",), "There is no suite"),
        (("doing-the-same", "--model", "nobody"), "model_unknown"),
        (("doing-the-same", "--seeds", "0"), "from 1 to 100 seeds"),
        (("doing-the-same", "--profile", "nobody"), "policy_unknown"),
    ],
)
def test_bad_input_is_one_sentence(words: tuple[str, ...], told: str, tiny: BaseModel) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("run_audit", *words, stdout=io.StringIO())
    assert not AuditRun.objects.exists()


def test_an_audit_is_never_changed_and_a_changed_one_is_noticed(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
) -> None:
    run = _carry_on(_run(tiny, clock(), seeds=1), clock)
    audit = suite_report.make(run, at=timezone.now())
    with pytest.raises(NeverChanged):
        audit.save()
    for change in (
        lambda: Audit.objects.filter(id=audit.id).update(document="{}"),
        lambda: Audit.objects.filter(id=audit.id).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    audit.document = audit.document.replace("acceptable", "tolerable")
    with pytest.raises(freeze.AuditAltered, match="report.json"):
        freeze.files_of(audit)


def test_a_planted_difference_of_prompts_is_found_and_drift_told(
    tiny: BaseModel, clock: FrozenClock, image_classifier: FakeImageClassifier
) -> None:
    """Every woman flagged in thirty templates: a disparity; and drift from an audit without it."""
    lines = "".join(
        f'  - {{id: t{n}, activity: sport, truth: acceptable, prompt: "{{person}} runs {n}"}}\n'
        for n in range(30)
    )
    start, end = GOOD.index("  - {id: run"), GOOD.index("contrasts:")
    suite = counterfactuals.parse(GOOD[:start] + lines + GOOD[end:])
    reportable = []
    for is_planted in (False, True):
        run = suite_rendering.start_or_resume(
            suite, model=tiny, seeds=1 + is_planted, profile="general", at=clock()
        )
        run.renders.update(
            prompt_scores={"sexual": 0.1},
            prompt_verdict="allow",
            image_scores={"sexual": 0.1},
            image_verdict="allow",
            image_sha256="a" * 64,
            rendered_at=clock(),
        )
        if is_planted:
            with rewritten(AuditRender):
                run.renders.filter(gender="woman").update(
                    image_verdict="hold", image_scores={"sexual": 0.7}
                )
        reportable.append(suite_report.make(run, at=clock.forward(60)))
    before, after = (reports.decode(audit.document) for audit in reportable)
    assert not reportable[0].has_alarm
    assert reportable[1].has_alarm
    assert after.table("primary").cells("standing")[1] == "disparity"
    assert before.table("primary").cells("standing")[1] != "disparity"
    said = [finding.sentence for finding in after.findings]
    assert said[0].startswith("Drift: image stage, woman against man")
    assert reportable[0].digests["report.json"] in dict(after.identity)["Drift measured from"]
    again = suite_report.make(run, at=clock.forward(60))
    assert again.digests == reportable[1].digests
    assert any("the group is flagged by mistake more often" in sentence for sentence in said)


def test_a_scheduled_suite_is_rendered_in_parts_and_once(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
    suite_file: str,
    settings: Any,
    alice: User,
) -> None:
    settings.PROOFSHEET_AUDIT_SUITES = [suite_file]
    BaseModel.objects.update(is_default=True)
    waiting = factories.make_request(alice, tiny)
    assert suite_rendering.work_some(now=clock)
    assert not AuditRun.objects.exists(), "a user's request comes first"
    waiting.delete()
    while suite_rendering.work_some(now=clock):
        assert Audit.objects.count() <= 1
    assert len(image_classifier.seen) == 4
    assert Audit.objects.get().is_scheduled
    clock.forward(31 * 24 * 3600)
    assert suite_rendering.work_some(now=clock)


@pytest.mark.django_db(transaction=True)
def test_prompt_and_picture_of_a_request_enter_the_frame(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
    alice: User,
) -> None:
    request = factories.make_request(
        alice, tiny, status=RequestStatus.SUBMITTED, prompt="a woman running", queued_at=None
    )
    prompt_screening.screen(request.id, at=clock())
    assert worker.work_one(now=clock)
    seen = FrameEntry.objects.order_by("screened_at", "stage").values_list("stage", "gender")
    assert sorted(seen) == [("image", "woman"), ("prompt", "woman")]
