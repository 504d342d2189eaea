"""What a reviewer sees of a request, frozen as it was when the case was opened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from generation.models import GeneratedImage, GenerationRequest, ImageState, SourcePicture
from moderation.account_status import audiences
from moderation.screening.classify import ImageVerdict, PromptVerdict
from moderation.subjects.reportable_pictures import Reportable
from moderation.subjects.subject import Subject


def of_prompt(request: GenerationRequest, verdict: PromptVerdict) -> dict[str, Any]:
    """Of a stopped prompt; `matched` are the words that the rules found in it."""
    return _of_request(request) | _of_verdict(verdict) | {"matched": list(verdict.matched)}


def of_image(
    request: GenerationRequest, image: GeneratedImage, verdict: ImageVerdict
) -> dict[str, Any]:
    """Of a stopped image: its file by name and SHA-256, never its bytes."""
    picture = {"id": str(image.id), "file": image.file.name, "sha256": image.sha256}
    return _of_request(request) | _of_verdict(verdict) | {"seed": image.seed, "image": picture}


def of_source(
    request: GenerationRequest, source: SourcePicture, verdict: ImageVerdict
) -> dict[str, Any]:
    """Of an upload that a request is to start from."""
    picture = {"id": str(source.id), "file": source.file.name, "sha256": source.sha256}
    shown = _of_request(request) | _of_verdict(verdict)
    return shown | {"image": picture, "is_uploaded": True}


def source_of(request: GenerationRequest) -> dict[str, Any]:
    """{strength, sha256, image} of what a request starts from; empty for noise."""
    source = SourcePicture.objects.filter(request=request).first()
    if source is None:
        return {}
    image = str(source.image_id) if source.image_id else ""
    return {"strength": source.strength, "sha256": source.sha256, "image": image}


def of_released(image_id: UUID) -> Reportable | None:
    """A released image as somebody may report it; no scores, for no classifier found it."""
    released = GeneratedImage.objects.filter(state=ImageState.RELEASED, deleted_at__isnull=True)
    image = released.exclude(file="").filter(id=image_id).first()
    if image is None:
        return None
    facts = ("prompt", "negative_prompt", "adapters", "seed", "steps", "guidance")
    shown = {name: getattr(image, name) for name in (*facts, "width", "height")} | {
        "request": str(image.request_id),
        "model": {
            "slug": image.model_slug,
            "name": image.model_name,
            "digest": image.model_digest,
        },
        "policy_version": audiences.policy_of(image.owner_id).version,
        "created_at": image.created_at.isoformat(),
        "image": {"id": str(image.id), "file": image.file.name, "sha256": image.sha256},
    }
    subject = Subject("image", image.id, image.owner_id, image.project_id, image.end_user_id)
    return Reportable(subject, shown)


def _of_request(request: GenerationRequest) -> dict[str, Any]:
    model = request.model
    return {
        "request": str(request.id),
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "model": {"slug": model.slug, "name": model.name, "digest": model.digest},
        "adapters": adapters_of(request),
        "source": source_of(request),
        "seed": request.seed,
        "steps": request.steps,
        "guidance": request.guidance,
        "width": request.width,
        "height": request.height,
    }


def adapters_of(request: GenerationRequest) -> list[dict[str, Any]]:
    """[{slug, name, weight, sha256}] in the order that they were asked for."""
    rows = request.request_adapters.select_related("adapter").order_by("position")
    return [
        {
            "slug": row.adapter.slug,
            "name": row.adapter.name,
            "weight": row.weight,
            "sha256": row.sha256,
        }
        for row in rows
    ]


def _of_verdict(verdict: PromptVerdict | ImageVerdict) -> dict[str, Any]:
    return {
        "categories": verdict.categories,
        "policy_version": verdict.policy_version,
        "code": verdict.code,
        "screening": str(verdict.screening_id),
    }
