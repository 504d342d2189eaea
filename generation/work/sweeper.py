"""Picks up what a dead worker or a lost ticket left behind. Run every few seconds by beat."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from generation.hardware import hardware_queues, worker_processes
from generation.live import drawing
from generation.models import GenerationRequest, IdempotencyKey, RequestStatus
from generation.requests import adapter_examples, creation
from generation.requests.fair_queue import ATTEMPTS_MAX, send_ticket, send_ticket_for
from generation.work import delivery

PATIENCE = timedelta(seconds=15)
KEYS_KEPT = timedelta(hours=24)
BATCH = 50


def sweep(*, at: datetime) -> None:
    """Sends lost tickets and screenings again, takes back lost leases, drops what is too old."""
    _take_back_lost_leases(at=at)
    _send_to_screening_again(at=at)
    for name in hardware_queues.queues():
        _send_lost_tickets(name, at=at)
    IdempotencyKey.objects.filter(created_at__lt=at - KEYS_KEPT).delete()
    worker_processes.forget_lost(at=at)
    drawing.forget(at=at)
    adapter_examples.collect()


def _send_to_screening_again(*, at: datetime) -> None:
    waiting = GenerationRequest.objects.filter(
        status=RequestStatus.SUBMITTED, is_held=False, created_at__lt=at - PATIENCE
    )
    for request_id in waiting.order_by("created_at").values_list("id", flat=True)[:BATCH]:
        creation.send_to_screening(request_id)


def _send_lost_tickets(name: str, *, at: datetime) -> None:
    """Only while a live worker has nothing to do: in a long line the tickets are not lost, and
    new ones every few seconds would pile up in the broker."""
    slots = worker_processes.alive(name, at=at).aggregate(total=Sum("slots"))["total"] or 0
    requests = GenerationRequest.objects.filter(hardware_queues.waiting_in(name))
    if requests.filter(status=RequestStatus.RUNNING).count() >= slots:
        return
    waiting = requests.filter(status=RequestStatus.QUEUED, queued_at__lt=at - PATIENCE)
    for _ in range(waiting[:BATCH].count()):
        send_ticket(name)


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
        send_ticket_for(request)
        return
    if request.cancel_requested_at is not None:
        request.cancel(at=at)
    else:
        request.note_failed(request.outstanding(), code="worker_lost", at=at)
    transaction.on_commit(lambda: delivery.discard_strays(request.id), robust=True)
