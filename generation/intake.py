"""From submitted to queued, held or refused: a prompt is screened before anything is rendered."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from generation import evidence, queue
from generation.models import GenerationRequest, RequestStatus
from moderation import audiences, cases, decisions, screening
from moderation.subjects import Subject

ATTEMPTS_MAX = 5


def screen(request_id: UUID, *, at: datetime) -> None:
    """Screen a submitted prompt and act on the verdict. A request that moved on is left alone.

    Attempts are counted before they begin, so a prompt that kills its worker is given up too.
    """
    if not _waiting().filter(id=request_id).update(screening_attempts=F("screening_attempts") + 1):
        return
    request = _waiting().filter(id=request_id).first()
    if request is None:
        return
    if request.screening_attempts > ATTEMPTS_MAX:
        _give_up(request_id, at=at)
        return
    started = perf_counter()
    verdict = screening.screen_prompt(
        request.prompt, at=at, profile=audiences.profile_of(request.owner_id)
    )
    elapsed_ms = round((perf_counter() - started) * 1000, 2)
    with transaction.atomic():
        request = _waiting().select_for_update().filter(id=request_id).first()
        if request is None:
            return
        request.timings["screen_prompt_ms"] = elapsed_ms
        _apply(request, verdict, at=at)


def _give_up(request_id: UUID, *, at: datetime) -> None:
    with transaction.atomic():
        request = _waiting().select_for_update().filter(id=request_id).first()
        if request is not None:
            request.fail(code="screening_failed", at=at)


def _waiting() -> QuerySet[GenerationRequest]:
    return GenerationRequest.objects.filter(status=RequestStatus.SUBMITTED, is_held=False)


def _apply(request: GenerationRequest, verdict: screening.PromptVerdict, *, at: datetime) -> None:
    subject = Subject("prompt", request.id, request.owner_id)
    match verdict.verdict:
        case "allow":
            request.enqueue(at=at)
            queue.send_ticket()
        case "hold":
            request.hold()
            cases.open_case(subject=subject, evidence=evidence.of_prompt(request, verdict), at=at)
        case "refuse":
            request.save()
            decisions.refuse_automatically(
                subject=subject,
                verdict=verdict,
                evidence=evidence.of_prompt(request, verdict),
                at=at,
            )
