"""How a request ended, in one value; and waiting until it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User

from config.core.errors import ProofsheetError
from generation.gallery.refusals import refusals_of
from generation.hardware import hardware_queues, worker_processes
from generation.line import tickets
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from generation.request_rules import failures
from generation.studio import own_requests

WORKER_PATIENCE = timedelta(seconds=15)
Look = Callable[[GenerationRequest], None]


class NoWorker(ProofsheetError):
    default_code = "no_worker"
    default_status = 503
    default_message = "No worker is alive that could take the request, so it waits in line."
    default_advice = "Start the workers with `make run` or `make worker`; it will then be made."


class TookTooLong(ProofsheetError):
    default_code = "took_too_long"
    default_status = 504
    default_message = "The request has not ended yet; it goes on without this program."
    default_advice = "Look for it in the gallery, or wait longer with --timeout."


@dataclass(frozen=True, slots=True)
class RequestResult:
    """`code` is empty for a released image; `statement_path` only for a refusal."""

    request: GenerationRequest
    image: GeneratedImage | None
    code: str
    sentence: str
    statement_path: str = ""

    @property
    def is_released(self) -> bool:
        return self.image is not None and self.image.state == ImageState.RELEASED

    @property
    def is_stopped_by_policy(self) -> bool:
        """Refused, withheld, or held for a person to decide."""
        is_image_kept = self.image is not None and not self.is_released
        return is_image_kept or self.request.is_held or self.request.status == RequestStatus.REFUSED


def wait_for(
    request_id: UUID,
    *,
    by: User,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    timeout: timedelta,
    look: Look,
) -> RequestResult:
    """The outcome, once there is one. A hold is one too: a person may take days.

    Calls `look` with every state on the way. Raises NoWorker, TookTooLong.
    """
    started_at = now()
    while True:
        request = own_requests.find_request(request_id, by=by)
        if request.is_held or not request.is_active:
            return outcome_of(request)
        look(request)
        waited = now() - started_at
        if waited > timeout:
            raise TookTooLong
        if waited > WORKER_PATIENCE and not _has_worker(request, at=now()):
            raise NoWorker
        sleep(0.3)


def _has_worker(request: GenerationRequest, *, at: datetime) -> bool:
    is_screened = request.status != RequestStatus.SUBMITTED
    name = hardware_queues.queue_of_request(request) if is_screened else tickets.SCREENING_QUEUE
    return worker_processes.alive(name, at=at).exists()


def outcome_of(request: GenerationRequest) -> RequestResult:
    """How the request stands now, told by its first image that was not deleted."""
    image = request.images.filter(deleted_at__isnull=True).order_by("index").first()
    refusal = refusals_of([request.id, *([image.id] if image else [])])
    path = next((found.statement_url for found in refusal.values()), "")
    code, sentence = _said(request, image)
    return RequestResult(request, image, code, sentence, path)


def _said(request: GenerationRequest, image: GeneratedImage | None) -> tuple[str, str]:
    if request.is_held:
        return "prompt_held", "The prompt is held until a person has looked at it."
    match request.status:
        case RequestStatus.REFUSED:
            return request.code, "The prompt was refused."
        case RequestStatus.FAILED:
            why = failures.explain(request.code, request.failures)
            return request.code, f"{why.message} {why.advice}"
        case RequestStatus.CANCELLED:
            return "cancelled", "The request was cancelled."
    if image is None:
        return "image_deleted", "The image was deleted."
    return image.code, IMAGE_SENTENCES[image.state]


IMAGE_SENTENCES: dict[str, str] = {
    ImageState.RELEASED: "The image is released.",
    ImageState.HELD: "The image is held until a person has looked at it.",
    ImageState.WITHHELD: "The image was refused and is withheld.",
}
