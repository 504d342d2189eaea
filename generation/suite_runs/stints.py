"""Runs of a suite that somebody asked for on a page or over the API: workers carry them on.

A worker's ticket names a run and a stint: a few pictures, after which the next ticket is sent,
behind everybody's requests. A doubled ticket finds its stint taken; a lost one is sent again by
`sweep`. So a run outlives workers, broker and restarts, and nothing of it is made twice.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from adapters.models import BaseModel
from config.core import events
from config.core.clock import Clock
from config.core.errors import ProofsheetError
from generation.hardware import hardware_queues
from generation.suite_runs import suite_rendering
from moderation.audits.audit_reports import auditors
from moderation.audits.models import Audit, AuditRun
from moderation.audits.suites import counterfactuals

STINT_S = 10.0
LEASE = timedelta(minutes=5)  # longer than any batch on any device that is offered
TICKET_LATE = timedelta(minutes=1)
PAUSE = timedelta(seconds=5)  # while anybody's request waits
FAILURES_MAX = 3
RUNS_SHOWN = 20
logger = logging.getLogger(__name__)
Status = AuditRun.Status


class RunNotFound(ProofsheetError):
    default_code = "audit_run_not_found"
    default_message = "There is no such run."
    default_advice = "The list of audits shows those there are."
    default_status = 404


class RunFinished(ProofsheetError):
    """Neither to be stopped nor carried on: its report is made."""

    default_code = "audit_run_finished"
    default_message = "This run is finished."
    default_advice = "Read its report, or start another one."
    default_status = 409


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its page and the API show it."""

    run: AuditRun
    done: int
    total: int
    audit: Audit | None
    seconds_left: float | None

    @property
    def per_cent(self) -> int:
        return 100 * self.done // max(self.total, 1)

    @property
    def minutes_left(self) -> int | None:
        return None if self.seconds_left is None else round(self.seconds_left / 60)

    @property
    def is_active(self) -> bool:
        return self.audit is None and self.run.status != Status.STOPPED


@transaction.atomic
def ask(suite: str, *, model: str, seeds: int, by: User, at: datetime) -> AuditRun:
    """Start a run, or carry on the unfinished one of the same suite, model, seeds and policy.

    Raises auditors.NotCompliance, counterfactuals.SuiteInvalid, and what
    `suite_rendering.start_or_resume` raises.
    """
    auditors.check_compliance(by)
    if suite not in counterfactuals.names():  # a path is for the command line alone
        raise counterfactuals.SuiteInvalid(message="There is no suite of that name.")
    found = suite_rendering.find_model(model or None)
    profile = suite_rendering.PROFILE
    run = suite_rendering.start_or_resume(
        counterfactuals.load(suite), model=found, seeds=seeds, profile=profile, at=at
    )
    if run.leased_until is None or run.leased_until < at:
        _send(run, by=by, at=at)
    return run


@transaction.atomic
def cancel(run_id: UUID, *, by: User) -> AuditRun:
    """Stop a run after the batch that is being made.

    Raises auditors.NotCompliance, RunNotFound, RunFinished.
    """
    run = _locked(run_id, by=by)
    if run.status == Status.RUNNING:
        run.stop(code="cancelled", message=f"Stopped by {by.get_username()}.")
    return run


@transaction.atomic
def resume(run_id: UUID, *, by: User, at: datetime) -> AuditRun:
    """Carry on a stopped run, or one whose command was cut off, where it stopped.

    Raises auditors.NotCompliance, RunNotFound, RunFinished.
    """
    run = _locked(run_id, by=by)
    if run.status == Status.STOPPED:
        run.go_on()
    _send(run, by=by, at=at)
    return run


def find(run_id: UUID, *, by: User) -> RunView:
    """Raises auditors.NotAnAuditor, RunNotFound."""
    auditors.check_auditor(by)
    run = AuditRun.objects.filter(pk=run_id).first()
    if run is None:
        raise RunNotFound
    return standing(run)


def latest(*, by: User) -> list[RunView]:
    """The newest runs. Raises auditors.NotAnAuditor."""
    auditors.check_auditor(by)
    return [standing(run) for run in AuditRun.objects.order_by("-started_at")[:RUNS_SHOWN]]


def standing(run: AuditRun) -> RunView:
    """How far the run is; its audit is the first that was made of it, None before."""
    progress = suite_rendering.progress(run)
    audit = run.audits.order_by("made_at").first()
    return RunView(run, progress.done, progress.total, audit, _seconds_left(run, progress))


def _seconds_left(run: AuditRun, progress: suite_rendering.RunProgress) -> float | None:
    """From the pace of the latest twenty pictures; None before two are made."""
    if run.status != Status.RUNNING or progress.done == progress.total:
        return None
    made = run.renders.exclude(rendered_at=None).order_by("-rendered_at")
    times = list(made.values_list("rendered_at", flat=True)[:20])
    if len(times) < 2 or times[0] is None or times[-1] is None:
        return None
    pace = (times[0] - times[-1]).total_seconds() / (len(times) - 1)
    return pace * (progress.total - progress.done)


def work(run_id: UUID, stint: int, *, now: Clock) -> None:
    """Make a few pictures of a run, or its report when none is left, and send the next ticket.

    Does nothing for a stint that is taken, or a run that is stopped.
    """
    mine = AuditRun.objects.filter(id=run_id, stint=stint, status=Status.RUNNING, is_queued=True)
    lease = {"stint": F("stint") + 1, "failures": F("failures") + 1, "leased_until": now() + LEASE}
    if not mine.update(**lease):
        return
    run = AuditRun.objects.get(id=run_id)
    try:
        has_more = _stint(run, now=now)
        if not has_more:
            suite_rendering.conclude(run, at=now(), by=run.asked_by)
    except ProofsheetError as error:
        _stop(run, code=error.code, message=error.message)
        return
    except Exception:
        _note_failure(run, at=now())
        raise
    is_put_off = has_more and suite_rendering.somebody_waits()
    until = now() + (PAUSE if is_put_off else TICKET_LATE)
    AuditRun.objects.filter(id=run_id).update(failures=0, leased_until=until)
    if has_more and not is_put_off:
        _send_ticket(run)


def sweep(*, at: datetime) -> None:
    """Send the ticket of every run that none came for, or that was put off until now."""
    waiting = AuditRun.objects.filter(is_queued=True, leased_until__lt=at, status=Status.RUNNING)
    for run in waiting:
        if waiting.filter(id=run.id).update(leased_until=at + TICKET_LATE):
            _send_ticket(run)


def _stint(run: AuditRun, *, now: Clock) -> bool:
    """Whether more is left."""
    if suite_rendering.somebody_waits():
        return True
    ends = time.monotonic() + STINT_S
    while has_more := suite_rendering.advance(run, now=now):
        run.refresh_from_db(fields=["status"])
        if (
            run.status != Status.RUNNING
            or time.monotonic() > ends
            or suite_rendering.somebody_waits()
        ):
            break
    return has_more


@transaction.atomic
def _stop(run: AuditRun, *, code: str, message: str) -> None:
    row = AuditRun.objects.select_for_update().get(id=run.id)
    if row.status == Status.RUNNING:
        row.stop(code=code, message=message)


def _note_failure(run: AuditRun, *, at: datetime) -> None:
    """What failed once is tried again; what fails every time stops the run."""
    run.refresh_from_db()
    if run.failures > FAILURES_MAX:
        _stop(run, code="audit_failed", message="A picture could not be made or screened.")
    else:
        AuditRun.objects.filter(id=run.id).update(leased_until=at)


def _send(run: AuditRun, *, by: User, at: datetime) -> None:
    run.queue(by_id=by.pk, until=at + TICKET_LATE)
    _send_ticket(run)


def _send_ticket(run: AuditRun) -> None:
    """To the workers that have the hardware for the run's model."""
    model = BaseModel.objects.filter(slug=run.model_slug).first()
    name = hardware_queues.queue_of(model) if model else hardware_queues.ANY
    events.send("generation.tasks.audit_stint", str(run.id), run.stint, queue=name)


def _locked(run_id: UUID, *, by: User) -> AuditRun:
    auditors.check_compliance(by)
    run = AuditRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise RunNotFound
    if run.status == Status.FINISHED:
        raise RunFinished
    return run
