"""What the room hears of the others: it enforces what moderation decided about a prompt or an
image, in the decision's transaction, and draws the examples that an adapter's review needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core import checks

from generation.capacity import line_metrics
from generation.hardware import hardware_queues
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestStatus,
    Restriction,
    SourcePicture,
    SourceState,
)
from generation.requests import (
    adapter_examples,
    creation,
    delivered_pictures,
    fair_queue,
    request_evidence,
    stored_files,
)
from moderation.models import Decision
from moderation.signals import decision_enforced
from moderation.subjects import deliverable_pictures, reportable_pictures


def connect() -> None:
    """Once, when every application is loaded."""
    decision_enforced.connect(enforce, dispatch_uid="generation.enforce")
    stored_files.connect()
    adapter_examples.connect()
    line_metrics.register()
    checks.register(hardware_queues.check_names)
    reportable_pictures.register("generation", request_evidence.of_released)
    deliverable_pictures.register("generation", delivered_pictures.delivered)


def enforce(
    *, subject_kind: str, subject_id: UUID, outcome: str, decision: Decision, **_: Any
) -> None:
    """Runs in the decision's transaction. Other kinds of subject are not this room's."""
    match subject_kind:
        case "prompt":
            _enforce_on_request(subject_id, outcome, decision)
        case "image":
            _enforce_on_image(subject_id, outcome, decision)
            _enforce_on_source(subject_id, outcome, decision)


def _enforce_on_request(request_id: UUID, outcome: str, decision: Decision) -> None:
    """Only a request that still waits (or was refused) moves; a cancelled one stays cancelled."""
    request = GenerationRequest.objects.select_for_update().filter(id=request_id).first()
    if request is None or request.deleted_at is not None:
        return
    match outcome, request.status:
        case "allow", RequestStatus.SUBMITTED | RequestStatus.REFUSED:
            request.enqueue(at=decision.decided_at)
            fair_queue.send_ticket_for(request)
        case "refuse", RequestStatus.SUBMITTED:
            request.refuse(code=decision.code, at=decision.decided_at)


def _enforce_on_image(image_id: UUID, outcome: str, decision: Decision) -> None:
    image = GeneratedImage.objects.select_for_update().filter(id=image_id).first()
    if image is None or image.deleted_at is not None:
        return
    match outcome, image.state:
        case "allow", ImageState.HELD | ImageState.WITHHELD:
            image.release(at=decision.decided_at)
        case "allow", ImageState.RELEASED if image.restriction:
            image.lift()
        case "blur", _:
            image.restrict(Restriction.BLURRED, code=decision.code, at=decision.decided_at)
        case "age_restrict", _:
            image.restrict(Restriction.AGE_RESTRICTED, code=decision.code, at=decision.decided_at)
        case "refuse", ImageState.HELD | ImageState.RELEASED:
            image.withhold(code=decision.code)


def _enforce_on_source(source_id: UUID, outcome: str, decision: Decision) -> None:
    """A request whose upload is let through goes on to the screening of its prompt."""
    source = SourcePicture.objects.filter(id=source_id).first()
    if source is None:
        return
    request = GenerationRequest.objects.select_for_update().get(id=source.request_id)
    source.refresh_from_db()
    match outcome, source.state:
        case "allow", SourceState.HELD | SourceState.REFUSED:
            source.accept()
            is_stopped = request.is_held or request.status == RequestStatus.REFUSED
            if is_stopped and request.deleted_at is None:
                request.resume()
                creation.send_to_screening(request.id)
        case _, SourceState.UNSCREENED | SourceState.HELD:
            source.refuse(code=decision.code)
            if request.status == RequestStatus.SUBMITTED:
                request.refuse(code=decision.code, at=decision.decided_at)
