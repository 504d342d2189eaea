"""Enforces what moderation decided about a prompt or an image, in the decision's transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from generation import queue
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from moderation.models import Decision
from moderation.signals import decision_enforced


def connect() -> None:
    decision_enforced.connect(enforce, dispatch_uid="generation.enforce")


def enforce(
    *, subject_kind: str, subject_id: UUID, outcome: str, decision: Decision, **_: Any
) -> None:
    match subject_kind:
        case "prompt":
            _enforce_on_request(subject_id, outcome, decision)
        case "image":
            _enforce_on_image(subject_id, outcome, decision)


def _enforce_on_request(request_id: UUID, outcome: str, decision: Decision) -> None:
    """Only a request that still waits (or was refused) moves; a cancelled one stays cancelled."""
    request = GenerationRequest.objects.select_for_update().filter(id=request_id).first()
    if request is None or request.deleted_at is not None:
        return
    match outcome, request.status:
        case "allow", RequestStatus.SUBMITTED | RequestStatus.REFUSED:
            request.enqueue(at=decision.decided_at)
            queue.send_ticket()
        case "refuse", RequestStatus.SUBMITTED:
            request.refuse(code=decision.code, at=decision.decided_at)


def _enforce_on_image(image_id: UUID, outcome: str, decision: Decision) -> None:
    image = GeneratedImage.objects.select_for_update().filter(id=image_id).first()
    if image is None or image.deleted_at is not None:
        return
    match outcome, image.state:
        case "allow", ImageState.HELD | ImageState.WITHHELD:
            image.release(at=decision.decided_at)
        case "refuse", ImageState.HELD | ImageState.RELEASED:
            image.withhold(code=decision.code)
