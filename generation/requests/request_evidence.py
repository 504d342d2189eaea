"""What a reviewer sees of a request, frozen as it was when the case was opened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from generation.models import GeneratedImage, GenerationRequest, ImageState, SourcePicture
from moderation.account_status import audiences
from moderation.policy.rulebook import policy_document
from moderation.screening.classify import ImageVerdict, PromptVerdict
from moderation.subjects.evidence import (
    PictureEvidence,
    RequestEvidence,
    ScreenedFile,
    StartedFrom,
    UsedAdapter,
    UsedModel,
)
from moderation.subjects.reportable_pictures import Reportable
from moderation.subjects.subject import Subject


def of_prompt(request: GenerationRequest, verdict: PromptVerdict) -> RequestEvidence:
    """Of a stopped prompt; `matched` are the words that the rules found in it."""
    return replace(_of_request(request, verdict), matched=verdict.matched)


def of_image(
    request: GenerationRequest, image: GeneratedImage, verdict: ImageVerdict
) -> RequestEvidence:
    """Of a stopped image."""
    return replace(_of_request(request, verdict), seed=image.seed, image=_file_of(image))


def of_source(
    request: GenerationRequest, source: SourcePicture, verdict: ImageVerdict
) -> RequestEvidence:
    """Of an upload that a request is to start from."""
    return replace(_of_request(request, verdict), image=_file_of(source), is_uploaded=True)


def source_of(request: GenerationRequest) -> dict[str, Any]:
    """{strength, sha256, image} of what a request starts from, and its mask's digest where there is
    one; empty for noise."""
    source = SourcePicture.objects.filter(request=request).first()
    if source is None:
        return {}
    image = str(source.image_id) if source.image_id else ""
    said = {"strength": source.strength, "sha256": source.sha256, "image": image}
    return said | ({"mask": source.mask_sha256} if source.mask_sha256 else {})


def of_released(image_id: UUID) -> Reportable | None:
    """A released image as somebody may report it; no scores, for no classifier found it."""
    released = GeneratedImage.objects.filter(state=ImageState.RELEASED, deleted_at__isnull=True)
    image = released.exclude(file="").filter(id=image_id).first()
    if image is None:
        return None
    shown = PictureEvidence(
        request=str(image.request_id),
        prompt=image.prompt,
        negative_prompt=image.negative_prompt,
        model=UsedModel(image.model_slug, image.model_name, image.model_digest),
        adapters=tuple(UsedAdapter(**each) for each in image.adapters),
        seed=image.seed,
        steps=image.steps,
        guidance=image.guidance,
        width=image.width,
        height=image.height,
        policy_version=policy_document.active(audiences.profile_for(image.project)).version,
        created_at=image.created_at,
        image=_file_of(image),
    )
    subject = Subject("image", image.id, image.owner_id, image.project_id, image.end_user_id)
    return Reportable(subject, shown)


def _of_request(
    request: GenerationRequest, verdict: PromptVerdict | ImageVerdict
) -> RequestEvidence:
    model, source = request.model, source_of(request)
    return RequestEvidence(
        request=str(request.id),
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        model=UsedModel(model.slug, model.name, model.digest),
        adapters=tuple(UsedAdapter(**each) for each in adapters_of(request)),
        source=StartedFrom(**source) if source else None,
        seed=request.seed,
        steps=request.steps,
        guidance=request.guidance,
        width=request.width,
        height=request.height,
        categories=verdict.categories,
        policy_version=verdict.policy_version,
        overlay=verdict.overlay or None,
        code=verdict.code,
        screening=str(verdict.screening_id),
    )


def _file_of(picture: GeneratedImage | SourcePicture) -> ScreenedFile:
    return ScreenedFile(str(picture.id), picture.file.name or "", picture.sha256)


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
