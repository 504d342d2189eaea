"""Picks up what a dead worker or a lost ticket left behind. Run every few seconds by beat."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Least

from generation.hardware import hardware_queues, worker_processes
from generation.line import claims, tickets
from generation.models import (
    SWEEP,
    GenerationRequest,
    LeaseTerm,
    Occurrence,
    RequestStatus,
    fair_shares,
)
from generation.requests import adapter_examples, creation
from generation.work import delivery

logger = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=15)
GAP = timedelta(seconds=15)
BATCH = 50


def sweep(*, at: datetime) -> None:
    """Sends lost tickets and screenings again, takes back lost leases."""
    if _was_there(at=at):
        _take_back_lost_leases(at=at)
    fair_shares.mend()
    _send_to_screening_again(at=at)
    for name in hardware_queues.queues():
        _send_lost_tickets(name, at=at)
    worker_processes.forget_lost(at=at)
    adapter_examples.collect()


def _was_there(*, at: datetime) -> bool:
    """Whether a sweep came by a moment ago too. If not, the database or the broker was away, and
    who renders could not renew a lease either: until the next sweep each has the time to."""
    pulse = Occurrence.objects.filter(name=SWEEP).first()
    Occurrence.objects.update_or_create(name=SWEEP, defaults={"at": at})
    if pulse is None or at - pulse.at <= GAP:
        return True
    logger.warning("nothing was swept for %d s: leases get more time", (at - pulse.at).seconds)
    return False


def _send_to_screening_again(*, at: datetime) -> None:
    waiting = GenerationRequest.objects.filter(
        status=RequestStatus.SUBMITTED, is_held=False, created_at__lt=at - PATIENCE
    )
    for request_id in waiting.order_by("created_at").values_list("id", flat=True)[:BATCH]:
        creation.send_to_screening(request_id)


def _send_lost_tickets(name: str, *, at: datetime) -> None:
    """Only while a live worker has a seat that is not reserved: in a long line the tickets are not
    lost, and new ones every few seconds would pile up in the broker."""
    seats = Least("slots", worker_processes.PERMITS - worker_processes.RESERVED)
    free = worker_processes.alive(name, at=at).aggregate(total=Sum(seats))["total"] or 0
    requests = GenerationRequest.objects.filter(hardware_queues.waiting_in(name))
    if requests.filter(status=RequestStatus.RUNNING).count() >= free:
        return
    waiting = requests.filter(status=RequestStatus.QUEUED, queued_at__lt=at - PATIENCE)
    for _ in range(waiting[:BATCH].count()):
        tickets.send(name)


def _take_back_lost_leases(*, at: datetime) -> None:
    """Each in a transaction of its own, so that none holds two projects' places in line at once."""
    lost = LeaseTerm.objects.filter(expires_at__lt=at).order_by("expires_at")
    for request_id in list(lost.values_list("request", flat=True)[:BATCH]):
        with transaction.atomic():
            terms = lost.select_for_update(of=("self", "request"), skip_locked=True)
            term = terms.select_related("request").filter(request=request_id).first()
            if term is not None:  # else it was renewed, or ended, a moment ago
                _take_back(term.request, at=at)


def _take_back(request: GenerationRequest, *, at: datetime) -> None:
    if not claims.wait_again(request, code="worker_lost", at=at):
        transaction.on_commit(lambda: delivery.discard_strays(request.id), robust=True)
