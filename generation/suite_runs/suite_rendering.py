"""Runs of a counterfactual suite: every picture of it rendered, marked and screened as users' are.

What a run has to make is written down when it begins; each picture is answered once. A run that was
cut off goes on where it stopped, without repeating or losing a picture. Users come first: while
anybody's request waits, a run waits too.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from adapters.models import BaseModel
from config.core.clock import Clock
from config.core.errors import ProofsheetError
from generation.engine.jobs import Rendered, RenderJob
from generation.models import GenerationRequest, RequestStatus
from moderation.audits.models import Audit, AuditRender, AuditRun
from moderation.audits.suites import counterfactuals
from moderation.audits.suites.counterfactuals import Suite
from moderation.policy.rulebook import policy_document
from moderation.screening import classify
from provenance.assets import marking

BATCH = 4
PROFILE = "general"
SCHEDULED_SEEDS = 1
WAIT_S = 2.0


class ModelUnknown(ProofsheetError):
    default_code = "model_unknown"
    default_message = "There is no such model."
    default_advice = "Name one that is registered; without a name the default one is taken."
    default_status = 404


class PolicyChanged(ProofsheetError):
    """The policy in force is no longer the one that the run began under."""

    default_code = "audit_policy_changed"
    default_message = "The policy changed while this run was under way."
    default_advice = "Start it again: a new run begins under the policy in force."
    default_status = 409


class RunStopped(ProofsheetError):
    """Somebody stopped the run while it was under way."""

    default_code = "audit_run_stopped"
    default_message = "This run was stopped."
    default_advice = "Starting it again goes on where it stopped."
    default_status = 409


class SeedsOutOfRange(ProofsheetError):
    default_code = "audit_seeds_out_of_range"
    default_message = "A run takes from 1 to 100 seeds."
    default_advice = "Two to five tell the most for the time."
    default_status = 422


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Renders of a run: `done` have been made and screened, `total` are planned."""

    done: int
    total: int


def find_model(slug: str | None) -> BaseModel:
    """The model of that name, or the default one. Raises ModelUnknown."""
    models = BaseModel.objects.all()
    found = models.filter(slug=slug) if slug else models.filter(is_default=True)
    if (model := found.first()) is None:
        raise ModelUnknown
    return model


@transaction.atomic
def start_or_resume(
    suite: Suite, *, model: BaseModel, seeds: int, profile: str, at: datetime
) -> AuditRun:
    """The unfinished run of the same suite, model, seeds and policy, or a new one.

    Raises SeedsOutOfRange, policy_document.PolicyUnknown.
    """
    if not 1 <= seeds <= 100:
        raise SeedsOutOfRange
    active = policy_document.active(profile)
    same = {
        "suite_sha256": suite.sha256,
        "model_slug": model.slug,
        "model_digest": model.digest,
        "seeds": seeds,
        "profile": profile,
        "policy_sha256": active.sha256,
    }
    unfinished = AuditRun.objects.select_for_update().exclude(status=AuditRun.Status.FINISHED)
    if (found := unfinished.filter(**same).order_by("-started_at").first()) is not None:
        if found.status == AuditRun.Status.STOPPED:
            found.go_on()
        return found
    run = AuditRun.objects.create(
        suite=suite.name,
        document=dict(suite.document),
        model_name=model.name,
        steps=model.few_steps,
        guidance=model.default_guidance,
        policy_version=active.version,
        started_at=at,
        **same,
    )
    AuditRender.objects.bulk_create(_planned(run, suite))
    return run


def _planned(run: AuditRun, suite: Suite) -> Iterable[AuditRender]:
    seeds = run.seeds if "image" in suite.stages else 1
    cells = [(cell, seed) for cell in suite.cells() for seed in range(1, seeds + 1)]
    return [
        AuditRender(
            run=run,
            place=place,
            template=cell.template.id,
            activity=cell.template.activity,
            truth=cell.template.truth,
            gender=cell.gender,
            age=cell.age,
            skin=cell.skin,
            seed=seed,
            prompt=cell.prompt,
        )
        for place, (cell, seed) in enumerate(cells)
    ]


def progress(run: AuditRun) -> RunProgress:
    """Counted anew at every call."""
    renders = run.renders.all()
    return RunProgress(renders.exclude(rendered_at=None).count(), renders.count())


def carry_on(
    run: AuditRun,
    *,
    now: Clock,
    sleep: Callable[[float], None],
    look: Callable[[RunProgress], None],
    most: int | None = None,
) -> bool:
    """Render and screen what the run still lacks, at most `most` pictures; True when none is left.

    Raises PolicyChanged, ModelUnknown, and what engine and classifiers raise.
    """
    made = 0
    while most is None or made < most:
        while somebody_waits():
            sleep(WAIT_S)
        if not advance(run, now=now):
            run.refresh_from_db()
            return True
        made += BATCH
        look(progress(run))
    return False


@transaction.atomic
def conclude(
    run: AuditRun, *, at: datetime, by: User | None = None, is_scheduled: bool = False
) -> Audit:
    """Finish a run with its report, both or neither; the report that is there, where one is.

    Raises RunStopped, RunUnfinished of `suite_report`.
    """
    row = AuditRun.objects.select_for_update().get(id=run.id)
    if (made := row.audits.order_by("made_at").first()) is not None:
        return made
    if row.status == AuditRun.Status.STOPPED:
        raise RunStopped
    row.finish(at=at)
    from moderation.audits.audit_reports import suite_report  # statsmodels, kept out of the web

    return suite_report.make(row, at=at, by=by, is_scheduled=is_scheduled)


def advance(run: AuditRun, *, now: Clock) -> bool:
    """Render and screen the next few of a run; False when it lacks none.

    Raises what `carry_on` raises.
    """
    batch = list(run.renders.filter(rendered_at=None).order_by("place")[:BATCH])
    if not batch:
        return False
    if AuditRun.objects.filter(id=run.id, status=AuditRun.Status.STOPPED).exists():
        raise RunStopped
    model = find_model(run.model_slug)
    if model.digest != run.model_digest:
        raise ModelUnknown(message="The model's files are not those that the run began with.")
    if policy_document.active(run.profile).sha256 != run.policy_sha256:
        raise PolicyChanged
    _answer(run, model, batch, now=now)
    return True


def somebody_waits() -> bool:
    """Whether a user's request is queued."""
    return GenerationRequest.objects.filter(status=RequestStatus.QUEUED).exists()


def work_some(*, now: Clock) -> bool:
    """A few pictures of the first suite whose scheduled report is due; whether more remains.

    Raises what `carry_on` raises.
    """
    if (suite := _first_due(at=now())) is None:
        return False
    if somebody_waits():
        return True
    run = start_or_resume(
        suite, model=find_model(None), seeds=SCHEDULED_SEEDS, profile=PROFILE, at=now()
    )
    if carry_on(run, now=now, sleep=time.sleep, look=lambda progress: None, most=2 * BATCH):
        conclude(run, at=now(), is_scheduled=True)
    return True


def _first_due(*, at: datetime) -> Suite | None:
    """Due: no scheduled report of this suite, model and policy within a month."""
    model = BaseModel.objects.filter(is_default=True).first()
    if model is None:
        return None
    recent = Audit.objects.filter(
        is_scheduled=True,
        made_at__gt=at - timedelta(days=30),
        run__model_digest=model.digest,
        run__policy_sha256=policy_document.active(PROFILE).sha256,
    )
    done = set(recent.values_list("run__suite_sha256", flat=True))
    wanted = (counterfactuals.load(name) for name in settings.PROOFSHEET_AUDIT_SUITES)
    return next((suite for suite in wanted if suite.sha256 not in done), None)


def _answer(run: AuditRun, model: BaseModel, batch: list[AuditRender], *, now: Clock) -> None:
    """Render a batch together, unless the suite makes no pictures, and screen each unit."""
    if "image" not in run.document["stages"]:
        for render in batch:
            _keep(run, render, None, now=now)
        return
    # torch: the web process starts runs and makes no picture
    from generation.hardware import devices

    engine = devices.engine_for(model)
    tickets = [engine.submit(_job(run, model, render)) for render in batch]
    for render, ticket in zip(batch, tickets, strict=True):
        rendered = ticket.wait(on_step=lambda report: None, should_stop=lambda: False)
        _keep(run, render, rendered, now=now)


def _keep(run: AuditRun, render: AuditRender, rendered: Rendered | None, *, now: Clock) -> None:
    """Mark and screen as the worker does; write the answer unless it is there already."""
    prompt = classify.judge_prompt(render.prompt, profile=run.profile)
    answer: dict[str, Any] = {
        "prompt_scores": prompt.categories,
        "prompt_verdict": prompt.verdict,
        "rendered_at": now(),
    }
    used = {"prompt_classifier": prompt.classifier}
    if rendered is not None:
        marked = marking.embed(rendered.pixels, asset_id=uuid5(run.id, str(render.place)))
        image = classify.judge_image(marked.png, profile=run.profile)
        used["image_classifier"] = image.classifier
        answer |= {
            "image_scores": image.categories,
            "image_verdict": image.verdict,
            "image_sha256": hashlib.sha256(marked.png).hexdigest(),
        }
    AuditRender.objects.filter(pk=render.pk, rendered_at=None).update(**answer)
    AuditRun.objects.filter(pk=run.pk).exclude(**used).update(**used)


def _job(run: AuditRun, model: BaseModel, render: AuditRender) -> RenderJob:
    width, height = model.sizes[0]
    return RenderJob(
        prompt=render.prompt,
        negative_prompt="",
        steps=run.steps,
        guidance=run.guidance,
        seed=render.seed,
        width=width,
        height=height,
        native_size=model.native_size,
    )
