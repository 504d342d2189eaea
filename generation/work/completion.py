"""From pixels to an image that is handed out: marked, screened, sealed, delivered."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings

from config.core import database_connections
from config.core.clock import Clock
from generation.conditions import init_images, masks
from generation.engine.jobs import Rendered
from generation.line import claims
from generation.live import drawing
from generation.models import GenerationRequest
from generation.request_rules import prompt_notes
from generation.work import delivery
from generation.work.stage_times import StageTimes
from moderation.account_status import audiences
from moderation.policy import overlays
from moderation.screening import classify
from provenance.assets import marking
from provenance.manifests.content_credentials import SigningFailed
from provenance.marks import visible_label


def complete(
    claim: claims.Claim,
    request: GenerationRequest,
    index: int,
    rendered: Rendered,
    source: init_images.Loaded | None,
    setting: drawing.Setting | None,
    *,
    now: Clock,
) -> None:
    """Mark, screen, sign, store and publish one image. Raises Cancelled when its owner did."""
    stages = StageTimes(request, rendered.timings)
    asset_id = uuid4()
    with stages.time("mark", "watermark_ms"):
        label = visible_label.parse(request.label)
        marked = marking.embed(rendered.pixels, asset_id=asset_id, label=label)
    with stages.time("screen", "screen_image_ms"):
        verdict = database_connections.outlast(
            lambda: _screen(marked.png, request, setting, at=now())
        )
    if setting:
        if verdict.verdict == "allow":
            database_connections.outlast(
                lambda: drawing.finish(claim, setting, marked.png, stages.timings, at=now())
            )
            return
        drawing.keep(claim)
    with stages.time("sign", "sign_ms"):
        sealed = _seal(marked, asset_id, request, source, at=now())
    finished = delivery.SealedResult(
        index=index,
        asset_id=asset_id,
        sealed=sealed,
        verdict=verdict,
        library_versions=rendered.library_versions,
        notes=_notes(rendered, request),
    )
    delivery.deliver(claim, finished, stages, now=now)


def _screen(
    png: bytes, request: GenerationRequest, setting: drawing.Setting | None, *, at: datetime
) -> classify.ImageVerdict:
    """A live picture under the profile that it is kept under, should its owner change it now."""
    profile = setting.profile if setting else audiences.profile_for(request.project)
    overlay = overlays.in_force(request.project_id)
    return classify.screen_image(png, at=at, profile=profile, overlay=overlay)


def _seal(
    marked: marking.MarkedPixels,
    asset_id: UUID,
    request: GenerationRequest,
    source: init_images.Loaded | None,
    *,
    at: datetime,
) -> marking.SealedImage:
    """Sign, with the picture that it was made from as its parent. Credentials of an upload that
    nobody could read again are left out of it. Raises SigningFailed."""
    seal = partial(marking.seal, marked, asset_id=asset_id, created_at=at, system=_system(request))
    if source is None:
        return seal()
    if source.mask is not None:
        size = request.width, request.height
        seal = partial(seal, repainted=masks.bounds(source.mask.levels, delivered=size))
    try:
        return seal(parent=source.parent)
    except SigningFailed:
        return seal(parent=source.bare_parent)


def _system(request: GenerationRequest) -> marking.SystemInfo:
    return marking.SystemInfo(
        name=settings.PROOFSHEET_SYSTEM_NAME,
        version=settings.PROOFSHEET_VERSION,
        model=f"{request.model.slug}@{request.model.digest[:16]}",
    )


def _notes(rendered: Rendered, request: GenerationRequest) -> list[dict[str, str]]:
    return prompt_notes.of_prompts(
        request.prompt,
        request.negative_prompt,
        dropped_tokens=rendered.dropped_tokens,
        dropped_negative_tokens=rendered.dropped_negative_tokens,
        has_parts=rendered.has_parts,
        has_weights=rendered.has_weights,
    )
