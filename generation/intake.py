"""From submitted to queued, held or refused: a prompt is screened before anything is rendered."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter
from typing import Any
from uuid import UUID

from django.db import transaction

from generation import evidence, queue
from generation.models import GenerationRequest, RequestStatus
from moderation import cases, decisions, screening
from moderation.subjects import Subject


def screen(request_id: UUID, *, at: datetime) -> None:
    """Screen a submitted prompt and act on the verdict. A request that moved on is left alone."""
    request = _waiting().filter(id=request_id).first()
    if request is None:
        return
    started = perf_counter()
    verdict = screening.screen_prompt(request.prompt, at=at)
    elapsed_ms = round((perf_counter() - started) * 1000, 2)
    with transaction.atomic():
        request = _waiting().select_for_update().filter(id=request_id).first()
        if request is None:
            return
        request.timings["screen_prompt_ms"] = elapsed_ms
        _apply(request, verdict, at=at)


def _waiting() -> Any:
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
