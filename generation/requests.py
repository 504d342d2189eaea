"""Submit, cancel and delete: everything that a person may do to a request and its images."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from adapters import catalogue
from adapters.models import Adapter, BaseModel
from generation import admission, estimates, progress, tasks
from generation.drafts import SEED_MAX, Draft, SizeNotOffered, check
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    IdempotencyKey,
    ImageState,
    RequestAdapter,
    RequestStatus,
)
from generation.tiers import Tier
from provenance.errors import ProofsheetError

KEY_MAX_CHARACTERS = 200


class RequestNotFound(ProofsheetError):
    """Also what a stranger is told: whether a request exists is its owner's business."""

    default_code = "request_not_found"
    default_status = 404
    default_message = "There is no such request."
    default_advice = "It may have been deleted; your gallery shows what there is."


class ImageNotFound(ProofsheetError):
    default_code = "image_not_found"
    default_status = 404
    default_message = "There is no such image."
    default_advice = "It may have been deleted; your gallery shows what there is."


class KeyReused(ProofsheetError):
    default_code = "idempotency_key_reused"
    default_status = 422
    default_message = "That Idempotency-Key was already used for a different request."
    default_advice = "Send a new key with a new request."


class KeyTooLong(ProofsheetError):
    default_code = "idempotency_key_too_long"
    default_status = 422
    default_message = f"The Idempotency-Key is longer than {KEY_MAX_CHARACTERS} characters."
    default_advice = "A UUID makes a good key."


class StillRunning(ProofsheetError):
    default_code = "still_running"
    default_status = 409
    default_message = "The request is still on its way."
    default_advice = "Cancel it first, then delete it."


class UnderReview(ProofsheetError):
    default_code = "under_review"
    default_status = 409
    default_message = "A person is still to review this, so it cannot be deleted yet."
    default_advice = "Delete it once the review is decided; we will tell you when."


@dataclass(frozen=True, slots=True)
class Submission:
    """`is_new` is false when an Idempotency-Key brought back an earlier request."""

    request: GenerationRequest
    is_new: bool


def submit(
    draft: Draft, *, by: AbstractBaseUser, at: datetime, idempotency_key: str | None = None
) -> Submission:
    """Check a draft, store it and send it to be screened. Nothing is rendered before that.

    Raises the named errors of `generation.drafts`, `adapters.catalogue` and
    `generation.admission`, KeyReused, KeyTooLong.
    """
    if idempotency_key and len(idempotency_key) > KEY_MAX_CHARACTERS:
        raise KeyTooLong
    if idempotency_key and (earlier := _earlier(draft, by=by, key=idempotency_key)):
        return Submission(earlier, is_new=False)
    wanted = _resolve(draft, by=by)
    tier = admission.tier_of(draft.tier, model=wanted.model, steps=wanted.steps)
    expected = admission.estimate(
        wanted.model, tier, steps=wanted.steps, guidance=wanted.guidance, at=at
    )
    admission.admit(by, expected, tier, at=at)
    try:
        with transaction.atomic():
            request = _store(wanted, tier=tier, predicted_ms=expected.device_ms, by=by, at=at)
            _store_adapters(request, wanted.adapters)
            if idempotency_key:
                IdempotencyKey.objects.create(
                    owner_id=by.pk,
                    key=idempotency_key,
                    body_sha256=draft.sha256(),
                    request=request,
                    created_at=at,
                )
            send_to_screening(request.id)
    except IntegrityError:
        # Two equal submissions at once: the unique key let one in, the other answers with it.
        if idempotency_key and (earlier := _earlier(draft, by=by, key=idempotency_key)):
            return Submission(earlier, is_new=False)
        raise
    return Submission(request, is_new=True)


def send_to_screening(request_id: UUID) -> None:
    """Robust: with the broker away the row still stands, and the sweeper sends the ticket again."""
    transaction.on_commit(lambda: tasks.screen_prompt.delay(str(request_id)), robust=True)


def _earlier(draft: Draft, *, by: AbstractBaseUser, key: str) -> GenerationRequest | None:
    row = (
        IdempotencyKey.objects.select_related("request__model")
        .filter(owner_id=by.pk, key=key)
        .first()
    )
    if row is None:
        return None
    if row.body_sha256 != draft.sha256():
        raise KeyReused
    return row.request


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked draft with everything that it left to the model filled in."""

    draft: Draft
    model: BaseModel
    size: tuple[int, int]
    steps: int
    guidance: float
    adapters: list[tuple[Adapter, float]]


def _resolve(draft: Draft, *, by: AbstractBaseUser) -> Wanted:
    checked = check(draft)
    model = catalogue.find_model(checked.model)
    return Wanted(
        draft=checked,
        model=model,
        size=_size(checked, model),
        steps=model.default_steps if checked.steps is None else checked.steps,
        guidance=model.default_guidance if checked.guidance is None else checked.guidance,
        adapters=[
            (catalogue.find_adapter(slug, by=by, base_model=model), weight)
            for slug, weight in checked.adapters
        ],
    )


def estimate(draft: Draft, *, by: AbstractBaseUser, at: datetime) -> estimates.Estimate:
    """What `submit` would do with this draft now, without doing it. Raises what it raises, but for
    the limits of `generation.admission`."""
    wanted = _resolve(draft, by=by)
    tier = admission.tier_of(draft.tier, model=wanted.model, steps=wanted.steps)
    return admission.estimate(
        wanted.model, tier, steps=wanted.steps, guidance=wanted.guidance, at=at
    )


def _size(draft: Draft, model: BaseModel) -> tuple[int, int]:
    width, height = model.default_size
    width, height = draft.width or width, draft.height or height
    if not model.can_deliver(width, height):
        offered = ", ".join(f"{w}×{h}" for w, h in model.sizes)
        raise SizeNotOffered(
            message=f"{model.name} cannot make images of {width}×{height} pixels.",
            advice=f"Choose one of: {offered}.",
        )
    return width, height


def _store(
    wanted: Wanted, *, tier: Tier, predicted_ms: int, by: AbstractBaseUser, at: datetime
) -> GenerationRequest:
    return GenerationRequest.objects.create(
        owner_id=by.pk,
        prompt=wanted.draft.prompt,
        negative_prompt=wanted.draft.negative_prompt,
        model=wanted.model,
        steps=wanted.steps,
        guidance=wanted.guidance,
        seed=secrets.randbelow(SEED_MAX + 1) if wanted.draft.seed is None else wanted.draft.seed,
        width=wanted.size[0],
        height=wanted.size[1],
        priority=tier.priority,
        predicted_ms=predicted_ms,
        created_at=at,
    )


def _store_adapters(request: GenerationRequest, adapters: list[tuple[Adapter, float]]) -> None:
    RequestAdapter.objects.bulk_create(
        RequestAdapter(
            request=request,
            adapter=adapter,
            weight=weight,
            sha256=adapter.sha256,
            position=position,
        )
        for position, (adapter, weight) in enumerate(adapters)
    )


def requests_of(user: AbstractBaseUser) -> QuerySet[GenerationRequest]:
    """The user's requests that were not deleted, newest first."""
    return (
        GenerationRequest.objects.filter(owner_id=user.pk, deleted_at__isnull=True)
        .select_related("model")
        .prefetch_related("request_adapters__adapter", "images")
        .order_by("-created_at", "-id")
    )


def images_of(user: AbstractBaseUser) -> QuerySet[GeneratedImage]:
    """The user's images that were not deleted, newest first."""
    return GeneratedImage.objects.filter(owner_id=user.pk, deleted_at__isnull=True).order_by(
        "-created_at", "-id"
    )


def find_request(request_id: UUID, *, by: AbstractBaseUser) -> GenerationRequest:
    request = requests_of(by).filter(id=request_id).first()
    if request is None:
        raise RequestNotFound
    return request


def find_image(image_id: UUID, *, by: AbstractBaseUser) -> GeneratedImage:
    image = images_of(by).select_related("request").filter(id=image_id).first()
    if image is None:
        raise ImageNotFound
    return image


def find_released_image(image_id: UUID, *, by: AbstractBaseUser) -> GeneratedImage:
    """The image whose file its owner may have: held and withheld ones look as if they were not."""
    image = find_image(image_id, by=by)
    if image.state != ImageState.RELEASED:
        raise ImageNotFound(
            message="This image is not released.", advice="Its page says what happened to it."
        )
    return image


def cancel(request_id: UUID, *, by: AbstractBaseUser, at: datetime) -> GenerationRequest:
    """Cancel at once while waiting; while running, ask the worker to stop before its next step.

    Raises RequestNotFound, and WrongState when it has already ended.
    """
    with transaction.atomic():
        request = _locked(request_id, by=by)
        if request.status == RequestStatus.RUNNING:
            request.ask_to_cancel(at=at)
        else:
            request.cancel(at=at)
    return request


def delete_request(request_id: UUID, *, by: AbstractBaseUser, at: datetime) -> None:
    """Delete an ended request with its images.

    Raises RequestNotFound, StillRunning, UnderReview.
    """
    with transaction.atomic():
        request = _locked(request_id, by=by)
        if request.is_active:
            raise StillRunning
        for image in request.images.select_for_update().filter(deleted_at__isnull=True):
            _delete(image, at=at)
        request.mark_deleted(at=at)
    progress.forget(request_id)


def delete_image(image_id: UUID, *, by: AbstractBaseUser, at: datetime) -> None:
    """Delete an image's file for good; its log entry stays. Raises ImageNotFound, UnderReview."""
    with transaction.atomic():
        image = images_of(by).select_for_update().filter(id=image_id).first()
        if image is None:
            raise ImageNotFound
        _delete(image, at=at)


def _locked(request_id: UUID, *, by: AbstractBaseUser) -> GenerationRequest:
    request = (
        GenerationRequest.objects.select_for_update()
        .filter(id=request_id, owner_id=by.pk, deleted_at__isnull=True)
        .first()
    )
    if request is None:
        raise RequestNotFound
    return request


def _delete(image: GeneratedImage, *, at: datetime) -> None:
    if image.state == ImageState.HELD:
        raise UnderReview
    name = image.file.name
    storage = image.file.storage
    image.mark_deleted(at=at)
    if name:
        transaction.on_commit(lambda: storage.delete(name))
