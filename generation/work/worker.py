"""Carries one claimed request from the queue to a published image.

Whatever goes wrong, nothing is released: the request fails with a code, or its lease runs out and
the sweeper takes it back. No transaction is open while the device works.
"""

from __future__ import annotations

import logging
import os
import platform
from functools import partial

from django.db import InterfaceError, OperationalError, connection

from config.core import database_connections, disk_full
from config.core.clock import Clock
from config.core.errors import ProofsheetError
from config.core.storage import StorageAway
from config.core.watching import instruments, tracing
from generation.conditions import init_images
from generation.engine.jobs import (
    Cancelled,
    Unchanged,
)
from generation.hardware import devices, hardware_queues
from generation.line import claims, tickets
from generation.live import drawing
from generation.models import (
    GenerationRequest,
    RequestStatus,
)
from generation.progress import previews
from generation.request_rules import priority_classes
from generation.request_rules.failures import AdapterCacheFull, AdapterGone
from generation.requests import maintenance, storage_room
from generation.work import completion, engine_jobs, selected_adapters
from generation.work.drain import drain
from generation.work.lease import Lease

logger = logging.getLogger(__name__)
_NOT_THE_IMAGES = (
    Cancelled,
    claims.LeaseLost,
    OperationalError,
    InterfaceError,
    disk_full.StorageFull,
    StorageAway,
)
WORKER = f"{platform.node()}:{os.getpid()}"


@tracing.apart()
def work_one(*, now: Clock, name: str = hardware_queues.ANY) -> bool:
    """Claim the best request that waits in the queue of that `name` and carry it out. False when
    none waits.

    Under a reserved permit only an interactive request is taken; what was passed over so is called
    again as soon as another permit is free.
    """
    with devices.DevicePermit() as permit:
        if drain.is_begun:
            tickets.call_waiting(name)  # the ticket is somebody else's
            return False
        rests = storage_room.is_full(at=now()) or storage_room.is_away(at=now())
        if rests or maintenance.is_on():
            return False  # the sweeper sends tickets for those that wait meanwhile
        claim = claims.claim(
            worker=WORKER,
            at=now(),
            name=name,
            resident=devices.resident_adapters(),
            only_interactive=permit.is_reserved,
        )
        if claim is None:
            if permit.is_reserved:
                devices.permits.passed_over.add(name)
            return False
        try:
            _hold_and_carry_out(claim, permit, now=now)
        finally:
            _leave(permit)
    previews.forget(claim.request_id)
    return True


def _hold_and_carry_out(claim: claims.Claim, permit: devices.DevicePermit, *, now: Clock) -> None:
    lease = Lease(claim, now=now)
    try:
        with lease:
            _carry_out(claim, lease, permit, now=now)
    except claims.LeaseLost:  # the lease's thread has ended: it knows by now whether it was cut off
        instruments.LEASES_LOST.inc()
        if lease.was_cut_off:  # a request that makes its worker hang must not be tried for ever
            claims.give_attempt_back(claim)
        logger.warning("request %s was taken over; its image is dropped", claim.request_id)


def _carry_out(
    claim: claims.Claim, lease: Lease, permit: devices.DevicePermit, *, now: Clock
) -> None:
    try:
        try:
            _make(claim, lease, permit, now=now)
        except Cancelled:
            _stopped(claim, lease, now=now)
        except (OperationalError, InterfaceError):
            # The database was away: no fault of the request's, so no attempt of it is spent.
            database_connections.outlast(lambda: claims.hand_back(claim, at=now()))
            instruments.REQUESTS_HANDED_BACK.labels("outage").inc()
            logger.warning("request %s is handed back after an outage", claim.request_id)
        except (disk_full.StorageFull, StorageAway, AdapterCacheFull) as error:
            storage_room.note(error, at=now())
            is_of_host = isinstance(error, AdapterCacheFull)  # others may do it; not for ever
            claims.hand_back(claim, at=now(), fault=error.code if is_of_host else "")
            instruments.REQUESTS_HANDED_BACK.labels(error.code).inc()
            logger.warning("request %s is handed back: %s", claim.request_id, error.code)
    except (claims.LeaseLost, OperationalError, InterfaceError):
        raise  # the request is another's, or its lease runs out and the sweeper takes it back
    except ProofsheetError as error:
        logger.warning("request %s failed: %s", claim.request_id, error.code)
        gone = error.names if isinstance(error, AdapterGone) else ()
        claims.fail(claim, code=error.code, at=now(), adapters=gone)
    except Exception:
        claims.fail(claim, code="render_failed", at=now())
        raise


def _stopped(claim: claims.Claim, lease: Lease, *, now: Clock) -> None:
    """By its owner, by a drain, or because its lease was lost. Raises LeaseLost."""
    if drain.is_over and not lease.should_stop():
        claims.hand_back(claim, at=now())
        instruments.REQUESTS_HANDED_BACK.labels("drain").inc()
        logger.info("request %s is handed back: this worker stops", claim.request_id)
        return
    try:
        claims.confirm_cancel(claim, at=now())
    except claims.LeaseLost:
        cancelled = GenerationRequest.objects.filter(status=RequestStatus.CANCELLED)
        if not cancelled.filter(id=claim.request_id).exists():
            raise


def _make(claim: claims.Claim, lease: Lease, permit: devices.DevicePermit, *, now: Clock) -> None:
    requests = GenerationRequest.objects.select_related("model", "owner", "source__image")
    request = requests.get(id=claim.request_id)
    _note_wait(request)
    tracing.follow(request.traceparent)
    with tracing.step(f"generate_content {request.model.slug}", _told_of(request)):
        _make_images(claim, request, lease, permit, now=now)


def _told_of(request: GenerationRequest) -> tracing.Attributes:
    """By OpenTelemetry's names for generative models, where it has one."""
    return {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "proofsheet",
        "gen_ai.output.type": "image",
        "gen_ai.request.model": request.model.slug,
        "gen_ai.request.choice.count": request.count,
        "proofsheet.steps": request.steps,
        "proofsheet.width": request.width,
        "proofsheet.height": request.height,
        "proofsheet.attempt": request.attempts,
    }


def _make_images(
    claim: claims.Claim,
    request: GenerationRequest,
    lease: Lease,
    permit: devices.DevicePermit,
    *,
    now: Clock,
) -> None:
    """All images of the request: denoised together, published one by one as they come. One that
    fails does not take the others along; whatever nobody foresaw is raised in the end."""
    adapters = selected_adapters.adapters_of(request)
    source = init_images.load(request)
    setting = drawing.setting_of(request, adapters, source) if request.is_live else None
    shown = drawing.shown_to(request, setting) if setting else None
    shown_prompt = shown.prompt if shown else None
    handles = engine_jobs.submit(request, adapters, source, shown_prompt=shown_prompt)
    unforeseen: Exception | None = None
    try:
        if setting:
            drawing.check_prompt(request, setting)  # while its first steps are taken
        engine_jobs.prefetch_next(request)
        for index, handle in handles.items():
            try:
                with tracing.step("denoise"):
                    rendered = engine_jobs.wait(request, handle, handles.values(), lease)
                if all(other.future.done() for other in handles.values()):
                    _leave(permit)
                completion.complete(claim, request, index, rendered, source, setting, now=now)
            except Unchanged:
                assert shown is not None, "nothing else is compared"
                database_connections.outlast(partial(drawing.spare, claim, shown, at=now()))
            except _NOT_THE_IMAGES:
                raise
            except ProofsheetError as error:
                logger.warning("image %d of %s failed: %s", index, claim.request_id, error.code)
                claims.fail_image(claim, index, code=error.code, at=now())
            except Exception as error:
                claims.fail_image(claim, index, code="render_failed", at=now())
                unforeseen = unforeseen or error
    finally:
        for handle in handles.values():
            handle.cancel()
    if unforeseen is not None:
        raise unforeseen


def _note_wait(request: GenerationRequest) -> None:
    """Of its first attempt: what waits again after an outage or a drain has begun in time."""
    if request.attempts == 1 and request.started_at and request.queued_at:
        waited_s = (request.started_at - request.queued_at).total_seconds()
        priority = priority_classes.name_of(request.priority)
        instruments.QUEUE_WAIT.labels(priority).observe(waited_s)


def _leave(permit: devices.DevicePermit) -> None:
    """Give the permit back, and call who was passed over while only reserved ones were free."""
    if not permit.end() or permit.is_reserved:
        return
    for name in tuple(devices.permits.passed_over):
        devices.permits.passed_over.discard(name)
        try:
            is_called = tickets.call_waiting(name)
        except (OperationalError, InterfaceError):
            is_called = True
            connection.close()
        if is_called:
            devices.permits.passed_over.add(name)
