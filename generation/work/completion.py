"""From pixels to a published image: marked, screened, signed, stored, and each stage is timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from time import perf_counter
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import ContentFile

from config.core import database_connections, disk_full
from config.core.clock import Clock
from config.core.storage import StorageAway
from generation.conditions import init_images, masks
from generation.engine.jobs import Cancelled, Rendered
from generation.line import claims
from generation.live import drawing
from generation.models import GeneratedImage, GenerationRequest, private_storage
from generation.progress import previews
from generation.request_rules import prompt_notes
from generation.work import delivery
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
    stages = _Stages(request)
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
            timings = rendered.timings | stages.timings
            database_connections.outlast(
                lambda: drawing.finish(claim, setting, marked.png, timings, at=now())
            )
            return
        drawing.keep(claim)
    with stages.time("sign", "sign_ms"):
        sealed = _seal(marked, asset_id, request, source, at=now())
    with stages.time("store", "store_ms"):
        place = delivery.file_name(request.id, asset_id)
        name = database_connections.outlast(lambda: _keep(place, sealed.data))
    finished = delivery.SealedResult(
        index=index,
        asset_id=asset_id,
        sealed=sealed,
        verdict=verdict,
        name=name,
        timings=rendered.timings | stages.timings,
        library_versions=rendered.library_versions,
        notes=_notes(rendered, request),
    )
    _publish(claim, finished, now=now)


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


def _keep(name: str, data: bytes) -> str:
    """Store privately; of a file that found no room nothing stays."""
    try:
        with disk_full.writing():
            return private_storage().save(name, ContentFile(data))
    except disk_full.StorageFull:
        with suppress(StorageAway):
            private_storage().delete(name)
        raise


def _publish(claim: claims.Claim, finished: delivery.SealedResult, *, now: Clock) -> None:
    """Publish, or delete the file again: but only when it is certain that no image names it.
    Raises Cancelled.

    The connection may break just after the commit, and so may what runs on commit.
    """
    publish = partial(delivery.publish, claim, finished)
    try:
        if database_connections.outlast(lambda: publish(at=now())) is None:
            raise Cancelled
    finally:
        if not GeneratedImage.objects.filter(id=finished.asset_id).exists():
            with suppress(StorageAway):
                private_storage().delete(finished.name)


class _Stages:
    """Times the stages after the pixels and tells the page which one runs."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self.timings: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str, key: str) -> Iterator[None]:
        steps = self._request.steps * self._request.count
        previews.tell(self._request, previews.RenderProgress(stage, steps, steps))
        started = perf_counter()
        yield
        self.timings[key] = round((perf_counter() - started) * 1000, 2)


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
    )
