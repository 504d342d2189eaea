"""Picks up what a dead worker or a lost ticket left behind. Run every few seconds by beat."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from generation import publishing, requests
from generation.models import GenerationRequest, RequestStatus
from generation.queue import ATTEMPTS_MAX, send_ticket

PATIENCE = timedelta(seconds=15)
BATCH = 50


def sweep(*, at: datetime) -> None:
    _take_back_lost_leases(at=at)
    waiting = GenerationRequest.objects.filter(status=RequestStatus.SUBMITTED, is_held=False)
    for request_id in waiting.filter(created_at__lt=at - PATIENCE).values_list("id", flat=True)[
        :BATCH
    ]:
        requests.send_to_screening(request_id)
    queued = GenerationRequest.objects.filter(status=RequestStatus.QUEUED)
    for _ in range(queued.filter(queued_at__lt=at - PATIENCE)[:BATCH].count()):
        send_ticket()


def _take_back_lost_leases(*, at: datetime) -> None:
    with transaction.atomic():
        lost = GenerationRequest.objects.select_for_update(skip_locked=True).filter(
            status=RequestStatus.RUNNING, lease_expires_at__lt=at
        )
        for request in lost.order_by("lease_expires_at")[:BATCH]:
            _take_back(request, at=at)


def _take_back(request: GenerationRequest, *, at: datetime) -> None:
    if request.cancel_requested_at is None and request.attempts < ATTEMPTS_MAX:
        request.enqueue(at=at)
        send_ticket()
        return
    if request.cancel_requested_at is not None:
        request.cancel(at=at)
    else:
        request.fail(code="worker_lost", at=at)
    transaction.on_commit(partial(publishing.discard_strays, request.id), robust=True)
