"""What the room hears of the others: it enforces what moderation decided about a prompt or an
image, in the decision's transaction, and draws the examples that an adapter's review needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core import checks

from config.core import retention
from config.core.holds import asking
from config.core.notifications import feed
from config.core.watching import house_gauges
from generation.capacity import line_metrics, project_metrics
from generation.hardware import hardware_queues
from generation.line import tickets
from generation.live import drawing
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestStatus,
    Restriction,
    SourcePicture,
    SourceState,
    news,
)
from generation.progress import wakes
from generation.requests import (
    adapter_examples,
    creation,
    delivered_pictures,
    idempotency,
    request_evidence,
    stored_files,
)
from generation.studio import own_requests, project_retention
from moderation.models import Decision
from moderation.public_notices import addresses
from moderation.signals import decision_enforced
from moderation.subjects import deliverable_pictures, own_pages, reportable_pictures


def connect() -> None:
    """Once, when every application is loaded."""
    decision_enforced.connect(enforce, dispatch_uid="generation.enforce")
    stored_files.connect()
    adapter_examples.connect()
    house_gauges.register(line_metrics.families)
    house_gauges.register(project_metrics.families)
    feed.register("requests", own_requests.NEWS)
    for kind in ("prompt", "image"):
        own_pages.register(kind, own_requests.page_of)
    wakes.connect()
    checks.register(hardware_queues.check_names)
    reportable_pictures.register("generation", request_evidence.of_released)
    deliverable_pictures.register("generation", delivered_pictures.delivered)
    retention.register(
        "Idempotency-Key and a digest of what was sent",
        idempotency.forget,
        kept="24 hours",
        due=idempotency.due,
    )
    retention.register(
        "prompts and pictures of the live page that nobody kept",
        drawing.forget,
        kept="a day",
        due=drawing.due,
    )
    retention.register(
        "requests and pictures of a project that keeps them for a while",
        project_retention.expire,
        kept="as long as their owner wants",
        due=project_retention.due,
        set_by="the project's days that images are kept, else `IMAGES_KEPT_DAYS`",
    )
    asking.learn_whose(own_requests.whose_things)


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
            tickets.send_for(request)
            news.tell_of_request(request, "released")
        case "refuse", RequestStatus.SUBMITTED:
            _refuse(request, decision)


def _refuse(request: GenerationRequest, decision: Decision) -> None:
    request.refuse(code=decision.code, at=decision.decided_at)
    news.tell_of_request(request, "refused", _notice_of(decision))


def _notice_of(decision: Decision) -> news.Further:
    """Where a refusal's reasons and its appeal are found, without an account."""

    def said() -> dict[str, str]:
        address = addresses.address_of(decision)
        return {"notice_url": address, "appeal_url": addresses.appeal_address(address)}

    return said


def _enforce_on_image(image_id: UUID, outcome: str, decision: Decision) -> None:
    image = GeneratedImage.objects.select_for_update().filter(id=image_id).first()
    if image is None or image.deleted_at is not None:
        return
    match outcome, image.state:
        case "allow", ImageState.HELD | ImageState.WITHHELD:
            image.release(at=decision.decided_at)
            news.tell_of_image(image, "released")
        case "allow", ImageState.RELEASED if image.restriction:
            image.lift()
        case "blur", _:
            _restrict(image, Restriction.BLURRED, decision)
        case "age_restrict", _:
            _restrict(image, Restriction.AGE_RESTRICTED, decision)
        case "refuse", ImageState.HELD | ImageState.RELEASED:
            image.withhold(code=decision.code)
            news.tell_of_image(image, "refused", _notice_of(decision))


def _restrict(image: GeneratedImage, how: Restriction, decision: Decision) -> None:
    was_released = image.state == ImageState.RELEASED
    image.restrict(how, code=decision.code, at=decision.decided_at)
    if not was_released:
        news.tell_of_image(image, "released")


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
                _refuse(request, decision)
