"""Carries one claimed request from the queue to a published image.

Whatever goes wrong, nothing is released: the request fails with a code, or its lease runs out and
the sweeper takes it back. No transaction is open while the device works.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError, connection

from config.core import database_connections, disk_full
from config.core.clock import Clock
from config.core.errors import ProofsheetError
from generation.conditions import init_images
from generation.engine.jobs import (
    AdapterUse,
    Cancelled,
    Rendered,
    RenderJob,
    Source,
    StepReport,
    Unchanged,
)
from generation.engine.loop.engine import RenderHandle
from generation.hardware import devices, hardware_queues
from generation.live import drawing
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    RequestAdapter,
    RequestStatus,
    private_storage,
)
from generation.progress import previews
from generation.request_rules import priority_classes, prompt_notes
from generation.request_rules.failures import AdapterGone
from generation.requests import fair_queue, storage_room
from generation.work import delivery, selected_adapters
from generation.work.drain import drain
from generation.work.lease import Lease
from generation.work.partial_images import PartialImages
from moderation.account_status import audiences
from moderation.policy import overlays
from moderation.screening import classify
from provenance.assets import marking
from provenance.manifests.content_credentials import SigningFailed
from provenance.marks import visible_label

logger = logging.getLogger(__name__)
_NOT_THE_IMAGES = (
    Cancelled,
    fair_queue.LeaseLost,
    OperationalError,
    InterfaceError,
    disk_full.StorageFull,
)
WORKER = f"{platform.node()}:{os.getpid()}"


def work_one(*, now: Clock, name: str = hardware_queues.ANY) -> bool:
    """Claim the best request that waits in the queue of that `name` and carry it out. False when
    none waits.

    Under a reserved permit only an interactive request is taken; what was passed over so is called
    again as soon as another permit is free.
    """
    with devices.DevicePermit() as turn:
        if drain.is_begun:
            fair_queue.call_waiting(name)  # the ticket is somebody else's
            return False
        if storage_room.is_full(at=now()):
            return False  # the sweeper sends tickets for those that wait until there is room
        claim = fair_queue.claim(
            worker=WORKER,
            at=now(),
            name=name,
            resident=devices.resident_adapters(),
            only_interactive=turn.is_reserved,
        )
        if claim is None:
            if turn.is_reserved:
                devices.permits.passed_over.add(name)
            return False
        try:
            with Lease(claim, now=now) as lease:
                _carry_out(claim, lease, turn, now=now)
        finally:
            _leave(turn)
    previews.forget(claim.request_id)
    return True


def _carry_out(
    claim: fair_queue.Claim, lease: Lease, turn: devices.DevicePermit, *, now: Clock
) -> None:
    try:
        try:
            _make(claim, lease, turn, now=now)
        except Cancelled:
            _stopped(claim, lease, now=now)
        except (OperationalError, InterfaceError):
            # The database was away: no fault of the request's, so no attempt of it is spent.
            database_connections.outlast(lambda: fair_queue.hand_back(claim, at=now()))
            logger.warning("request %s is handed back after an outage", claim.request_id)
        except disk_full.StorageFull:
            storage_room.note_full(at=now())
            fair_queue.hand_back(claim, at=now())
            logger.warning("request %s waits until the storage has room", claim.request_id)
    except fair_queue.LeaseLost:
        logger.warning("request %s was taken over; its image is dropped", claim.request_id)
    except (OperationalError, InterfaceError):
        raise  # still away: the lease runs out and the sweeper takes the request back
    except ProofsheetError as error:
        logger.warning("request %s failed: %s", claim.request_id, error.code)
        gone = error.names if isinstance(error, AdapterGone) else ()
        fair_queue.fail(claim, code=error.code, at=now(), adapters=gone)
    except Exception:
        fair_queue.fail(claim, code="render_failed", at=now())
        raise


def _stopped(claim: fair_queue.Claim, lease: Lease, *, now: Clock) -> None:
    """By its owner, by a drain, or because its lease was lost. Raises LeaseLost."""
    if drain.is_over and not lease.should_stop():
        fair_queue.hand_back(claim, at=now())
        logger.info("request %s is handed back: this worker stops", claim.request_id)
        return
    try:
        fair_queue.confirm_cancel(claim, at=now())
    except fair_queue.LeaseLost:
        cancelled = GenerationRequest.objects.filter(status=RequestStatus.CANCELLED)
        if not cancelled.filter(id=claim.request_id).exists():
            raise


def _make(claim: fair_queue.Claim, lease: Lease, turn: devices.DevicePermit, *, now: Clock) -> None:
    """All images of the request: denoised together, published one by one as they come. One that
    fails does not take the others along; whatever nobody foresaw is raised in the end."""
    requests = GenerationRequest.objects.select_related("model", "owner", "source__image")
    request = requests.get(id=claim.request_id)
    adapters = selected_adapters.adapters_of(request)
    source = init_images.load(request)
    setting = drawing.setting_of(request, adapters, source) if request.is_live else None
    shown = drawing.shown_to(request, setting) if setting else None
    tickets = _submit(request, _job(request, adapters, source, shown))
    unforeseen: Exception | None = None
    try:
        if setting:
            drawing.check_prompt(request, setting)  # while its first steps are taken
        _prefetch_next(request)
        for index, ticket in tickets.items():
            try:
                rendered = _wait(request, ticket, tickets.values(), lease)
                if all(other.future.done() for other in tickets.values()):
                    _leave(turn)
                _complete(claim, request, index, rendered, source, setting, now=now)
            except Unchanged:
                assert shown is not None, "nothing else is compared"
                database_connections.outlast(partial(drawing.spare, claim, shown, at=now()))
            except _NOT_THE_IMAGES:
                raise
            except ProofsheetError as error:
                logger.warning("image %d of %s failed: %s", index, claim.request_id, error.code)
                fair_queue.fail_image(claim, index, code=error.code, at=now())
            except Exception as error:
                fair_queue.fail_image(claim, index, code="render_failed", at=now())
                unforeseen = unforeseen or error
    finally:
        for ticket in tickets.values():
            ticket.cancel()
    if unforeseen is not None:
        raise unforeseen


def _complete(
    claim: fair_queue.Claim,
    request: GenerationRequest,
    index: int,
    rendered: Rendered,
    source: init_images.Loaded | None,
    setting: drawing.Setting | None,
    *,
    now: Clock,
) -> None:
    """Mark, screen, sign, store and publish one image. Raises Cancelled when its owner did."""
    stages = Stages(request)
    asset_id = uuid4()
    with stages.time("mark", "watermark_ms"):
        label = visible_label.parse(request.label)
        marked = marking.embed(rendered.pixels, asset_id=asset_id, label=label)
    with stages.time("screen", "screen_image_ms"):
        verdict = database_connections.outlast(
            lambda: _screen(marked.png, request, setting, at=now())
        )
    if setting:
        if verdict.verdict == "allow":
            timings = rendered.timings | stages.timings
            database_connections.outlast(
                lambda: drawing.finish(claim, setting, marked.png, timings, at=now())
            )
            return
        drawing.keep(claim)
    with stages.time("sign", "sign_ms"):
        sealed = _seal(marked, asset_id, request, source, at=now())
    with stages.time("store", "store_ms"):
        name = _keep(delivery.file_name(request.id, asset_id), sealed.data)
    finished = delivery.SealedResult(
        index=index,
        asset_id=asset_id,
        sealed=sealed,
        verdict=verdict,
        name=name,
        timings=rendered.timings | stages.timings,
        library_versions=rendered.library_versions,
        notes=_notes(rendered, request),
    )
    _publish(claim, finished, now=now)


def _screen(
    png: bytes, request: GenerationRequest, setting: drawing.Setting | None, *, at: datetime
) -> classify.ImageVerdict:
    """A live picture under the profile that it is kept under, should its owner change it now."""
    profile = setting.profile if setting else audiences.profile_for(request.project)
    overlay = overlays.in_force(request.project_id)
    return classify.screen_image(png, at=at, profile=profile, overlay=overlay)


def _seal(
    marked: marking.MarkedPixels,
    asset_id: UUID,
    request: GenerationRequest,
    source: init_images.Loaded | None,
    *,
    at: datetime,
) -> marking.SealedImage:
    """Sign, with the picture that it was made from as its parent. Credentials of an upload that
    nobody could read again are left out of it. Raises SigningFailed."""
    seal = partial(marking.seal, marked, asset_id=asset_id, created_at=at, system=_system(request))
    if source is None:
        return seal()
    try:
        return seal(parent=source.parent)
    except SigningFailed:
        return seal(parent=source.bare_parent)


def _keep(name: str, data: bytes) -> str:
    """Store privately; of a file that found no room nothing stays."""
    try:
        with disk_full.writing():
            return private_storage().save(name, ContentFile(data))
    except disk_full.StorageFull:
        private_storage().delete(name)
        raise


def _leave(turn: devices.DevicePermit) -> None:
    """Give the permit back, and call who was passed over while only reserved ones were free."""
    if not turn.end() or turn.is_reserved:
        return
    for name in tuple(devices.permits.passed_over):
        devices.permits.passed_over.discard(name)
        try:
            is_called = fair_queue.call_waiting(name)
        except (OperationalError, InterfaceError):
            is_called = True
            connection.close()
        if is_called:
            devices.permits.passed_over.add(name)


def _publish(claim: fair_queue.Claim, finished: delivery.SealedResult, *, now: Clock) -> None:
    """Publish, or delete the file again: but only when it is certain that no image names it.
    Raises Cancelled.

    The connection may break just after the commit, and so may what runs on commit.
    """
    publish = partial(delivery.publish, claim, finished)
    try:
        if database_connections.outlast(lambda: publish(at=now())) is None:
            raise Cancelled
    finally:
        if not GeneratedImage.objects.filter(id=finished.asset_id).exists():
            private_storage().delete(finished.name)


def _tell(request: GenerationRequest, done: previews.RenderProgress) -> None:
    """The request's own page; the live page waits for the picture alone."""
    if not request.is_live:
        previews.publish(request.id, done)


class Stages:
    """Times the stages after the pixels and tells the page which one runs."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self.timings: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str, key: str) -> Iterator[None]:
        steps = self._request.steps * self._request.count
        _tell(self._request, previews.RenderProgress(stage, steps, steps))
        started = perf_counter()
        yield
        self.timings[key] = round((perf_counter() - started) * 1000, 2)


def _submit(request: GenerationRequest, first: RenderJob) -> dict[int, RenderHandle]:
    """The images that the request still lacks, by their places, all handed to the engine."""
    engine = devices.engine_for(request.model)
    return {
        index: engine.submit(replace(first, seed=request.seed_of(index)))
        for index in request.outstanding()
    }


def _prefetch_next(request: GenerationRequest) -> None:
    """Fetch the adapters of those that wait, while this one is denoised."""
    next_uses = [_use(row) for row in fair_queue.adapters_of_next(request.model_id)]
    connection.close()  # back to the pool: one that idles through a render may be dead after it
    devices.engine_for(request.model).prefetch(next_uses)


def _wait(
    request: GenerationRequest,
    ticket: RenderHandle,
    all_of_it: Collection[RenderHandle],
    lease: Lease,
) -> Rendered:
    shown = PartialImages(request) if ticket is next(iter(all_of_it)) else None

    def report(step: StepReport) -> None:
        done = sum(ticket.step for ticket in all_of_it)
        total = sum(ticket.total for ticket in all_of_it)
        _tell(request, previews.RenderProgress("denoise", done, total, step.preview))
        if shown is not None and not request.is_live:
            shown.offer(step)

    def should_stop() -> bool:
        is_stale = request.is_live and drawing.is_stale(request)
        return drain.is_over or lease.should_stop() or is_stale

    return ticket.wait(on_step=report, should_stop=should_stop)


def _job(
    request: GenerationRequest,
    adapters: Iterable[RequestAdapter],
    source: init_images.Loaded | None,
    shown: drawing.ShownPicture | None,
) -> RenderJob:
    return RenderJob(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        steps=request.steps,
        guidance=request.guidance,
        seed=request.seed,
        width=request.width,
        height=request.height,
        native_size=request.model.native_size,
        adapters=tuple(_use(row) for row in adapters),
        is_interactive=priority_classes.name_of(request.priority) == "interactive",
        timeout_s=settings.PROOFSHEET_RENDER_TIMEOUT_S,
        source=Source(source.pixels, source.strength) if source else None,
        shown_prompt=shown.prompt if shown else None,
    )


def _use(row: RequestAdapter) -> AdapterUse:
    return AdapterUse(row.sha256, Path(row.adapter.file.path), row.weight)


def _system(request: GenerationRequest) -> marking.SystemInfo:
    return marking.SystemInfo(
        name=settings.PROOFSHEET_SYSTEM_NAME,
        version=settings.PROOFSHEET_VERSION,
        model=f"{request.model.slug}@{request.model.digest[:16]}",
    )


def _notes(rendered: Rendered, request: GenerationRequest) -> list[dict[str, str]]:
    return prompt_notes.of_prompts(
        request.prompt,
        request.negative_prompt,
        dropped_tokens=rendered.dropped_tokens,
        dropped_negative_tokens=rendered.dropped_negative_tokens,
    )
