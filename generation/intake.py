"""From submitted to queued, held or refused: a prompt is screened before anything is rendered."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from generation import evidence, queue, sources
from generation.models import GenerationRequest, RequestStatus, SourcePicture, SourceState
from moderation import audiences, cases, decisions, screening
from moderation.audits import sampling
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
    if not _screen_source(request, at=at):
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


def _screen_source(request: GenerationRequest, *, at: datetime) -> bool:
    """Screen an upload before anything uses it; whether the prompt may be screened now.

    Whatever fails here fails the attempt, so nothing goes on that was not screened.
    """
    source = sources.of_request(request)
    if source is None or source.state == SourceState.PASSED:
        return True
    if source.state != SourceState.UNSCREENED:
        return False
    verdict = screening.screen_upload(
        sources.read(source), at=at, profile=audiences.profile_of(request.owner_id)
    )
    with transaction.atomic():
        locked = _waiting().select_for_update(of=("self",)).filter(id=request.id).first()
        if locked is None:
            return False
        source = SourcePicture.objects.select_for_update().get(id=source.id)
        return source.state == SourceState.UNSCREENED and _apply_to_source(
            source, locked, verdict, at=at
        )


def _apply_to_source(
    source: SourcePicture,
    request: GenerationRequest,
    verdict: screening.ImageVerdict,
    *,
    at: datetime,
) -> bool:
    subject = Subject("image", source.id, request.owner_id)
    shown = evidence.of_source(request, source, verdict)
    entry = sampling.enter(verdict, subject=subject, prompt=request.prompt, evidence=shown, at=at)
    match verdict.verdict:
        case "allow":
            source.accept()
        case "hold":
            source.hold(code=verdict.code)
            request.hold()
            cases.open_case(subject=subject, evidence=shown, at=at, is_blind=entry.is_sampled)
        case "refuse":
            decisions.refuse_automatically(subject=subject, verdict=verdict, evidence=shown, at=at)
    return verdict.verdict == "allow"


def _give_up(request_id: UUID, *, at: datetime) -> None:
    with transaction.atomic():
        request = _waiting().select_for_update().filter(id=request_id).first()
        if request is not None:
            request.fail(code="screening_failed", at=at)


def _waiting() -> QuerySet[GenerationRequest]:
    return GenerationRequest.objects.filter(status=RequestStatus.SUBMITTED, is_held=False)


def _apply(request: GenerationRequest, verdict: screening.PromptVerdict, *, at: datetime) -> None:
    subject = Subject("prompt", request.id, request.owner_id)
    shown = evidence.of_prompt(request, verdict)
    entry = sampling.enter(verdict, subject=subject, prompt=request.prompt, evidence=shown, at=at)
    match verdict.verdict:
        case "allow":
            request.enqueue(at=at)
            queue.send_ticket_for(request)
        case "hold":
            request.hold()
            cases.open_case(subject=subject, evidence=shown, at=at, is_blind=entry.is_sampled)
        case "refuse":
            request.save()
            decisions.refuse_automatically(subject=subject, verdict=verdict, evidence=shown, at=at)
