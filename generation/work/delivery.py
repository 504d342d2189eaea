"""From a signed picture to an image that is released, held or withheld: one transaction."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction

from config.core import database_connections, disk_full
from config.core.clock import Clock
from config.core.storage import StorageAway
from config.core.watching import tracing
from config.core.watching.instruments import STAGES
from generation.engine.jobs import Cancelled
from generation.line import claims
from generation.models import GeneratedImage, GenerationRequest, ImageState, news, private_storage
from generation.requests import request_evidence
from generation.work.stage_times import StageTimes
from moderation.decisions import acting
from moderation.screening.classify import ImageVerdict
from moderation.subjects.subject import Subject
from provenance.assets import marking


@dataclass(frozen=True, slots=True)
class SealedResult:
    """What the worker has in hand once an image is signed."""

    index: int
    asset_id: UUID
    sealed: marking.SealedImage
    verdict: ImageVerdict
    library_versions: dict[str, str]
    notes: list[dict[str, str]]


def file_name(request_id: UUID, asset_id: UUID) -> str:
    """Each attempt has a name of its own, so that a late one never overwrites a published file."""
    return f"{folder_of(request_id)}/{asset_id}.png"


def folder_of(request_id: UUID) -> str:
    """Of a request's files. By its first digits, 65,536 folders share what would be one."""
    digits = request_id.hex
    return f"images/{digits[:2]}/{digits[2:4]}/{request_id}"


def deliver(claim: claims.Claim, finished: SealedResult, stages: StageTimes, *, now: Clock) -> None:
    """Store and publish, or delete the file again: but only when it is certain that no image names
    it, for the connection may break just after the commit, and so may what runs on commit.
    Raises Cancelled when its owner did, LeaseLost when another worker holds the request.
    """
    with stages.time("store", "store_ms"):
        place = file_name(claim.request_id, finished.asset_id)
        name = database_connections.outlast(lambda: _keep(place, finished.sealed.data))
    in_hand = partial(publish, claim, finished, file=name, timings=stages.timings)
    try:
        if database_connections.outlast(lambda: in_hand(at=now())) is None:
            raise Cancelled
        stages.count(finished.verdict.verdict)
    finally:
        if not GeneratedImage.objects.filter(id=finished.asset_id).exists():
            with suppress(StorageAway):
                private_storage().delete(name)


def _keep(name: str, data: bytes) -> str:
    """Store privately; of a file that found no room nothing stays."""
    try:
        with disk_full.writing():
            return private_storage().save(name, ContentFile(data))
    except disk_full.StorageFull:
        with suppress(StorageAway):
            private_storage().delete(name)
        raise


def publish(
    claim: claims.Claim,
    finished: SealedResult,
    *,
    file: str,
    timings: dict[str, float],
    at: datetime,
) -> GeneratedImage | None:
    """Write asset, log entry, image, case or decision, or nothing; the last image of a request ends
    it. Publishing the same asset again returns its image: the connection may have broken just after
    the commit. None when its owner cancelled meanwhile. Raises LeaseLost when another worker holds
    the request.
    """
    if published := GeneratedImage.objects.filter(id=finished.asset_id).first():
        return published
    with transaction.atomic():
        request = claims.locked(claim)
        if request.cancel_requested_at is not None:
            request.cancel(at=at)
            return None
        with tracing.step("log"):
            log_ms = _record(request, finished, at=at)
        image = _create_image(request, finished, file, at=at)
        request.add_up(timings | {"log_ms": log_ms})
        request.note_made(at=at)
        acting.act(
            finished.verdict,
            Subject("image", image.id, image.owner_id, image.project_id, image.end_user_id),
            request_evidence.of_image(request, image, finished.verdict),
            at=at,
        )
        if finished.verdict.verdict == "hold":
            news.tell_of_image(image, "held")
        if request.attempts > 1 and not request.is_active:
            transaction.on_commit(lambda: discard_strays(request.id), robust=True)
    return image


def discard_strays(request_id: UUID) -> None:
    """Delete files that earlier attempts stored and never published.

    Only for a request that ended: the file of a running attempt is a stray too, until it publishes.
    """
    storage, folder = private_storage(), folder_of(request_id)
    kept = set(GeneratedImage.objects.filter(request=request_id).values_list("file", flat=True))
    try:
        _, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        if f"{folder}/{name}" not in kept:
            storage.delete(f"{folder}/{name}")


def _record(request: GenerationRequest, finished: SealedResult, *, at: datetime) -> float:
    """Append to the log what was made; milliseconds that it took."""
    started = perf_counter()
    settings = _parameters(request, finished.index)
    del settings["prompt"]
    marking.record(
        finished.sealed,
        asset_id=finished.asset_id,
        owner_pseudonym=marking.pseudonym(request.owner_id),
        at=at,
        commit_to={"prompt": request.prompt, "settings": json.dumps(settings, sort_keys=True)},
    )
    took_s = perf_counter() - started
    STAGES.labels("log").observe(took_s)
    return round(took_s * 1000, 2)


def _create_image(
    request: GenerationRequest, finished: SealedResult, file: str, *, at: datetime
) -> GeneratedImage:
    is_allowed = finished.verdict.verdict == "allow"
    return GeneratedImage.objects.create(
        id=finished.asset_id,
        request=request,
        index=finished.index,
        owner_id=request.owner_id,
        project_id=request.project_id,
        end_user_id=request.end_user_id,
        state=ImageState.RELEASED if is_allowed else ImageState.HELD,
        code="" if is_allowed else finished.verdict.code,
        released_at=at if is_allowed else None,
        file=file,
        sha256=finished.sealed.sha256,
        size_bytes=len(finished.sealed.data),
        created_at=at,
        library_versions=finished.library_versions,
        notes=finished.notes,
        **_parameters(request, finished.index),
    )


def _parameters(request: GenerationRequest, index: int) -> dict[str, Any]:
    """Frozen copies: the image keeps them whatever becomes of request, model and adapters."""
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed_of(index),
        "steps": request.steps,
        "guidance": request.guidance,
        "guidance_rescale": request.guidance_rescale,
        "width": request.width,
        "height": request.height,
        "model_slug": request.model.slug,
        "model_name": request.model.name,
        "model_digest": request.model.digest,
        "adapters": request_evidence.adapters_of(request),
        "source": request_evidence.source_of(request),
    }
