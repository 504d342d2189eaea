"""From submitted to queued, held or refused: a prompt is screened before anything is rendered."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from config.core.watching import tracing
from generation.conditions import init_images
from generation.line import tickets
from generation.models import GenerationRequest, RequestStatus, SourcePicture, SourceState
from generation.requests import request_evidence
from moderation.account_status import audiences
from moderation.decisions import acting
from moderation.policy import overlays
from moderation.screening import classify
from moderation.subjects.subject import Subject

ATTEMPTS_MAX = 5


@tracing.apart()
def screen(request_id: UUID, *, at: datetime) -> None:
    """Screen a submitted prompt and act on the verdict. A request that moved on is left alone.

    Attempts are counted before they begin, so a prompt that kills its worker is given up too.
    """
    if not _waiting().filter(id=request_id).update(screening_attempts=F("screening_attempts") + 1):
        return
    request = _waiting().filter(id=request_id).first()
    if request is None:
        return
    tracing.follow(request.traceparent)
    if request.screening_attempts > ATTEMPTS_MAX:
        _give_up(request_id, at=at)
        return
    if not _screen_source(request, at=at):
        return
    started = perf_counter()
    with tracing.step("screen prompt"):
        verdict = classify.screen_prompt(
            request.prompt,
            at=at,
            profile=audiences.profile_for(request.project),
            overlay=overlays.in_force(request.project_id),
            shows=shown_beside(request),
        )
    elapsed_ms = round((perf_counter() - started) * 1000, 2)
    with transaction.atomic():
        request = _waiting().select_for_update().filter(id=request_id).first()
        if request is None:
            return
        request.timings["screen_prompt_ms"] = elapsed_ms
        _apply(request, verdict, at=at)


def shown_beside(request: GenerationRequest) -> frozenset[str]:
    """What its picture shows beside the words of its prompt: an upload's and an adapter's person,
    whom adapters are named and called after, what the negative prompt takes away."""
    adapters = [row.adapter for row in request.request_adapters.select_related("adapter")]
    return classify.shown_beside(
        profile=audiences.profile_for(request.project),
        shows_person=init_images.is_uploaded(request) or any(a.shows_a_person for a in adapters),
        names=[f"{adapter.name}, {adapter.trigger}" for adapter in adapters],
        negative=request.negative_prompt,
    )


def _screen_source(request: GenerationRequest, *, at: datetime) -> bool:
    """Screen an upload before anything uses it; whether the prompt may be screened now.

    Whatever fails here fails the attempt, so nothing goes on that was not screened.
    """
    source = init_images.of_request(request)
    if source is None or source.state == SourceState.PASSED:
        return True
    if source.state != SourceState.UNSCREENED:
        return False
    verdict = classify.screen_upload(
        init_images.read(source),
        at=at,
        profile=audiences.profile_for(request.project),
        overlay=overlays.in_force(request.project_id),
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
    verdict: classify.ImageVerdict,
    *,
    at: datetime,
) -> bool:
    match verdict.verdict:
        case "allow":
            source.accept()
        case "hold":
            source.hold(code=verdict.code)
            request.hold()
    shown = request_evidence.of_source(request, source, verdict)
    subject = Subject("image", source.id, *_whose(request))
    acting.act(verdict, subject, shown, at=at)
    return verdict.verdict == "allow"


def _give_up(request_id: UUID, *, at: datetime) -> None:
    with transaction.atomic():
        request = _waiting().select_for_update().filter(id=request_id).first()
        if request is not None:
            request.fail(code="screening_failed", at=at)


def _waiting() -> QuerySet[GenerationRequest]:
    return GenerationRequest.objects.filter(status=RequestStatus.SUBMITTED, is_held=False)


def _apply(request: GenerationRequest, verdict: classify.PromptVerdict, *, at: datetime) -> None:
    shown = request_evidence.of_prompt(request, verdict)
    match verdict.verdict:
        case "allow":
            request.enqueue(at=at)
            tickets.send_for(request)
        case "hold":
            request.hold()
        case "refuse":
            request.save()
    subject = Subject("prompt", request.id, *_whose(request))
    acting.act(verdict, subject, shown, at=at)


def _whose(request: GenerationRequest) -> tuple[int, UUID, UUID | None]:
    return request.owner_id, request.project_id, request.end_user_id
