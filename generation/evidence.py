"""What a reviewer sees of a request, frozen as it was when the case was opened."""

from __future__ import annotations

from typing import Any

from generation.models import GeneratedImage, GenerationRequest
from moderation.screening import ImageVerdict, PromptVerdict


def of_prompt(request: GenerationRequest, verdict: PromptVerdict) -> dict[str, Any]:
    return _of_request(request) | _of_verdict(verdict) | {"matched": list(verdict.matched)}


def of_image(
    request: GenerationRequest, image: GeneratedImage, verdict: ImageVerdict
) -> dict[str, Any]:
    picture = {"id": str(image.id), "file": image.file.name, "sha256": image.sha256}
    return _of_request(request) | _of_verdict(verdict) | {"image": picture}


def _of_request(request: GenerationRequest) -> dict[str, Any]:
    model = request.model
    return {
        "request": str(request.id),
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "model": {"slug": model.slug, "name": model.name, "digest": model.digest},
        "adapters": adapters_of(request),
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
