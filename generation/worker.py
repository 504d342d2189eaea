"""Carries one claimed request from the queue to a published image.

Whatever goes wrong, nothing is released: the request fails with a code, or its lease runs out and
the sweeper takes it back. No transaction is open while the device works.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError, connection

from generation import devices, outages, progress, publishing, queue
from generation.engine.jobs import AdapterUse, Cancelled, Rendered, RenderJob, StepReport
from generation.leases import Clock, Lease
from generation.models import GeneratedImage, GenerationRequest, private_storage
from moderation import audiences, screening
from provenance import marking
from provenance.errors import ProofsheetError

logger = logging.getLogger(__name__)
WORKER = f"{platform.node()}:{os.getpid()}"


def work_one(*, now: Clock) -> bool:
    """Claim the best waiting request and carry it out. False when none waits."""
    with devices.Turn() as turn:
        claim = queue.claim(worker=WORKER, at=now(), resident=devices.resident_adapters())
        if claim is None:
            return False
        with Lease(claim, now=now) as lease:
            _carry_out(claim, lease, turn, now=now)
    progress.forget(claim.request_id)
    return True


def _carry_out(claim: queue.Claim, lease: Lease, turn: devices.Turn, *, now: Clock) -> None:
    try:
        _make(claim, lease, turn, now=now)
    except Cancelled:
        queue.confirm_cancel(claim, at=now())
    except queue.LeaseLost:
        logger.warning("request %s was taken over; its image is dropped", claim.request_id)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease runs out and the sweeper takes the request back
    except ProofsheetError as error:
        logger.warning("request %s failed: %s", claim.request_id, error.code)
        queue.fail(claim, code=error.code, at=now())
    except Exception:
        queue.fail(claim, code="render_failed", at=now())
        raise


def _make(claim: queue.Claim, lease: Lease, turn: devices.Turn, *, now: Clock) -> None:
    request = GenerationRequest.objects.select_related("model").get(id=claim.request_id)
    rendered = _render(request, lease)
    turn.end()
    stages = Stages(request)
    asset_id = uuid4()
    with stages.time("mark", "watermark_ms"):
        marked = marking.embed(rendered.pixels, asset_id=asset_id)
    with stages.time("screen", "screen_image_ms"):
        profile = audiences.profile_of(request.owner_id)
        verdict = outages.outlast(
            lambda: screening.screen_image(marked.png, at=now(), profile=profile)
        )
    with stages.time("sign", "sign_ms"):
        sealed = marking.seal(marked, asset_id=asset_id, created_at=now(), system=_system(request))
    with stages.time("store", "store_ms"):
        name = private_storage().save(
            publishing.file_name(request.id, asset_id), ContentFile(sealed.data)
        )
    finished = publishing.Finished(
        asset_id=asset_id,
        sealed=sealed,
        verdict=verdict,
        name=name,
        timings=rendered.timings | stages.timings,
        library_versions=rendered.library_versions,
        notes=_notes(rendered),
    )
    _publish(claim, finished, now=now)


def _publish(claim: queue.Claim, finished: publishing.Finished, *, now: Clock) -> None:
    """Publish, or delete the file again: but only when it is certain that no image names it.

    The connection may break just after the commit, and so may what runs on commit.
    """
    publish = partial(publishing.publish, claim, finished)
    try:
        outages.outlast(lambda: publish(at=now()))
    finally:
        if not GeneratedImage.objects.filter(id=finished.asset_id).exists():
            private_storage().delete(finished.name)


class Stages:
    """Times the stages after the pixels and tells the page which one runs."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self.timings: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str, key: str) -> Iterator[None]:
        steps = self._request.steps
        progress.publish(self._request.id, progress.Progress(stage, steps, steps))
        started = perf_counter()
        yield
        self.timings[key] = round((perf_counter() - started) * 1000, 2)


def _render(request: GenerationRequest, lease: Lease) -> Rendered:
    def report(step: StepReport) -> None:
        progress.publish(
            request.id, progress.Progress("denoise", step.step, step.total, step.preview)
        )

    pipeline, job = devices.pipeline_for(request.model), _job(request)
    devices.remember_adapters([use.name for use in job.adapters if use.weight != 0])
    connection.close()  # back to the pool: one that idles through a render may be dead after it
    return pipeline.render(job, on_step=report, should_stop=lease.should_stop)


def _job(request: GenerationRequest) -> RenderJob:
    rows = request.request_adapters.select_related("adapter").order_by("position")
    return RenderJob(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        steps=request.steps,
        guidance=request.guidance,
        seed=request.seed,
        width=request.width,
        height=request.height,
        native_size=request.model.native_size,
        adapters=tuple(
            AdapterUse(row.sha256, Path(row.adapter.file.path), row.weight) for row in rows
        ),
    )


def _system(request: GenerationRequest) -> marking.SystemInfo:
    return marking.SystemInfo(
        name=settings.PROOFSHEET_SYSTEM_NAME,
        version=settings.PROOFSHEET_VERSION,
        model=f"{request.model.slug}@{request.model.digest[:16]}",
    )


def _notes(rendered: Rendered) -> list[dict[str, str]]:
    if not rendered.dropped_tokens:
        return []
    sentence = (
        f"The prompt is longer than the model can read: its last {rendered.dropped_tokens} "
        "tokens (word pieces) had no effect."
    )
    return [{"code": "prompt_truncated", "message": sentence}]
