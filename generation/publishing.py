"""From a sealed file to an image that is released, held or withheld: one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.crypto import salted_hmac

from generation import evidence, queue
from generation.models import GeneratedImage, GenerationRequest, ImageState
from moderation import cases, decisions
from moderation.screening import ImageVerdict
from moderation.subjects import Subject
from provenance import marking


@dataclass(frozen=True, slots=True)
class Finished:
    """What the worker has in hand when the file is stored under `name`."""

    asset_id: UUID
    sealed: marking.SealedImage
    verdict: ImageVerdict
    name: str
    timings: dict[str, float]
    library_versions: dict[str, str]
    notes: list[dict[str, str]]


def publish(claim: queue.Claim, finished: Finished, *, at: datetime) -> GeneratedImage | None:
    """Write asset, log entry, image, case or decision, and the end of the request, or nothing.

    None when its owner cancelled meanwhile. Raises LeaseLost when another worker holds it.
    """
    with transaction.atomic():
        request = queue.locked(claim)
        if request.cancel_requested_at is not None:
            request.cancel(at=at)
            return None
        started = perf_counter()
        marking.record(
            finished.sealed, asset_id=finished.asset_id, owner_pseudonym=pseudonym(request), at=at
        )
        log_ms = round((perf_counter() - started) * 1000, 2)
        image = _create_image(request, finished, at=at)
        request.timings |= finished.timings | {"log_ms": log_ms}
        request.finish(at=at)
        _act_on_verdict(request, image, finished.verdict, at=at)
    return image


def pseudonym(request: GenerationRequest) -> str:
    """Names an owner in the log without telling who it is."""
    return salted_hmac("proofsheet.owner", str(request.owner_id), algorithm="sha256").hexdigest()


def _create_image(
    request: GenerationRequest, finished: Finished, *, at: datetime
) -> GeneratedImage:
    is_allowed = finished.verdict.verdict == "allow"
    return GeneratedImage.objects.create(
        id=finished.asset_id,
        request=request,
        owner_id=request.owner_id,
        state=ImageState.RELEASED if is_allowed else ImageState.HELD,
        code="" if is_allowed else finished.verdict.code,
        released_at=at if is_allowed else None,
        file=finished.name,
        sha256=finished.sealed.sha256,
        size_bytes=len(finished.sealed.data),
        created_at=at,
        library_versions=finished.library_versions,
        notes=finished.notes,
        **_parameters(request),
    )


def _parameters(request: GenerationRequest) -> dict[str, Any]:
    """Frozen copies: the image keeps them whatever becomes of request, model and adapters."""
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "steps": request.steps,
        "guidance": request.guidance,
        "width": request.width,
        "height": request.height,
        "model_slug": request.model.slug,
        "model_name": request.model.name,
        "model_digest": request.model.digest,
        "adapters": evidence.adapters_of(request),
    }


def _act_on_verdict(
    request: GenerationRequest, image: GeneratedImage, verdict: ImageVerdict, *, at: datetime
) -> None:
    subject = Subject("image", image.id, request.owner_id)
    shown = evidence.of_image(request, image, verdict)
    match verdict.verdict:
        case "allow":
            pass
        case "hold":
            cases.open_case(subject=subject, evidence=shown, at=at)
        case "refuse":
            decisions.refuse_automatically(subject=subject, verdict=verdict, evidence=shown, at=at)
