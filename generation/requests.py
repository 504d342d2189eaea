"""Submit, cancel and delete: everything that a person may do to a request and its images."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from adapters import catalogue
from adapters.models import Adapter, BaseModel
from generation import admission, estimates, progress, queue, sources, tasks
from generation.drafts import (
    SEED_MAX,
    Draft,
    SizeNotOffered,
    StrengthTooLow,
    check,
    taken_steps,
)
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    IdempotencyKey,
    ImageState,
    RequestAdapter,
    RequestStatus,
    Restriction,
    SourcePicture,
    SourceState,
)
from generation.recently import remembered
from generation.tiers import Tier
from moderation import audiences, cases, standing
from provenance import label_choices
from provenance.errors import ProofsheetError
from provenance.visible_label import VisibleLabel

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


class ForAdults(ProofsheetError):
    default_code = "image_age_restricted"
    default_status = 403
    default_message = "This image is shown to adults only."
    default_advice = "Choose the audience of adults on your account's page, if you are one."


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
    draft: Draft,
    *,
    by: AbstractBaseUser,
    at: datetime,
    idempotency_key: str | None = None,
    is_live: bool = False,
) -> Submission:
    """Check a draft, store it and send it to be screened. Nothing is rendered before that.

    A request of the live page waits for a render worker at once, which screens its prompt itself.
    Raises the named errors of `generation.drafts`, `adapters.catalogue`, `generation.sources` and
    `generation.admission`, KeyReused, KeyTooLong, moderation.standing.AccountSuspended.
    """
    if idempotency_key and len(idempotency_key) > KEY_MAX_CHARACTERS:
        raise KeyTooLong
    if idempotency_key and (earlier := _earlier(draft, by=by, key=idempotency_key)):
        return Submission(earlier, is_new=False)
    standing.check(by.pk, at=at)
    wanted = _resolve(draft, by=by)
    tier = admission.tier_of(draft.tier, model=wanted.model, steps=wanted.steps)
    expected = admission.estimate(
        wanted.model,
        tier,
        steps=wanted.taken_steps,
        guidance=wanted.guidance,
        count=wanted.draft.count,
        at=at,
    )
    admission.admit(by, expected, tier, count=wanted.draft.count, at=at)
    try:
        with sources.stored(wanted.source) as name, transaction.atomic():
            request = _store(
                wanted,
                tier=tier,
                predicted_ms=expected.device_ms,
                is_live=is_live,
                by=by,
                at=at,
            )
            adapters = _store_adapters(request, wanted.adapters)
            source = sources.attach(request, wanted.source, name=name, at=at)
            _remember_parts(request, adapters, source)
            if idempotency_key:
                IdempotencyKey.objects.create(
                    owner_id=by.pk,
                    key=idempotency_key,
                    body_sha256=draft.sha256(),
                    request=request,
                    created_at=at,
                )
            if is_live:
                queue.send_ticket()
            else:
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


_find_model = remembered(catalogue.find_model)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked draft with everything that it left to the model filled in."""

    draft: Draft
    model: BaseModel
    size: tuple[int, int]
    steps: int
    guidance: float
    adapters: list[tuple[Adapter, float]]
    source: sources.Wanted | None
    label: VisibleLabel | None

    @property
    def taken_steps(self) -> int:
        return taken_steps(self.steps, self.source.strength if self.source else None)


def _resolve(draft: Draft, *, by: AbstractBaseUser) -> Wanted:
    checked = check(draft)
    model = _find_model(checked.model)
    wanted = Wanted(
        draft=checked,
        model=model,
        size=_size(checked, model),
        steps=model.default_steps if checked.steps is None else checked.steps,
        guidance=model.default_guidance if checked.guidance is None else checked.guidance,
        adapters=[
            (catalogue.find_adapter(slug, by=by, base_model=model), weight)
            for slug, weight in checked.adapters
        ],
        source=sources.resolve(checked, by=by),
        label=label_choices.chosen(checked.visible_label, checked.visible_label_text),
    )
    if wanted.taken_steps < 1:
        raise StrengthTooLow
    return wanted


def estimate(draft: Draft, *, by: AbstractBaseUser, at: datetime) -> estimates.Estimate:
    """What `submit` would do with this draft now, without doing it. Raises what it raises, but for
    the limits of `generation.admission`."""
    wanted = _resolve(draft, by=by)
    tier = admission.tier_of(draft.tier, model=wanted.model, steps=wanted.steps)
    return admission.estimate(
        wanted.model,
        tier,
        steps=wanted.taken_steps,
        guidance=wanted.guidance,
        count=wanted.draft.count,
        at=at,
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
    wanted: Wanted,
    *,
    tier: Tier,
    predicted_ms: int,
    is_live: bool,
    by: AbstractBaseUser,
    at: datetime,
) -> GenerationRequest:
    return GenerationRequest.objects.create(
        owner_id=by.pk,
        is_live=is_live,
        status=RequestStatus.QUEUED if is_live else RequestStatus.SUBMITTED,
        queued_at=at if is_live else None,
        prompt=wanted.draft.prompt,
        negative_prompt=wanted.draft.negative_prompt,
        model=wanted.model,
        steps=wanted.steps,
        guidance=wanted.guidance,
        seed=secrets.randbelow(SEED_MAX + 1) if wanted.draft.seed is None else wanted.draft.seed,
        width=wanted.size[0],
        height=wanted.size[1],
        count=wanted.draft.count,
        label=str(wanted.label or ""),
        priority=tier.priority,
        predicted_ms=predicted_ms,
        created_at=at,
    )


def _store_adapters(
    request: GenerationRequest, adapters: list[tuple[Adapter, float]]
) -> list[RequestAdapter]:
    return RequestAdapter.objects.bulk_create(
        RequestAdapter(
            request=request,
            adapter=adapter,
            weight=weight,
            sha256=adapter.sha256,
            position=position,
        )
        for position, (adapter, weight) in enumerate(adapters)
    )


def _remember_parts(
    request: GenerationRequest, adapters: list[RequestAdapter], source: SourcePicture | None
) -> None:
    """What belongs to a request that was just stored is known: its answer asks for none of it."""
    known: dict[str, Any] = {
        "request_adapters": request.request_adapters.all(),
        "images": request.images.all(),
    }
    for rows, values in zip(known.values(), (adapters, []), strict=True):
        rows._result_cache = values
    # As Django's own `prefetch_related_objects` does it.
    request._prefetched_objects_cache = known  # type: ignore[attr-defined] # not in the stubs
    GenerationRequest._meta.get_field("source").set_cached_value(request, source)


def requests_of(user: AbstractBaseUser) -> QuerySet[GenerationRequest]:
    """The user's requests that were not deleted, newest first; those of the live page are none."""
    return (
        GenerationRequest.objects.filter(owner_id=user.pk, deleted_at__isnull=True, is_live=False)
        .select_related("model", "source__image")
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


def find_source(request_id: UUID, *, by: AbstractBaseUser) -> SourcePicture:
    """The picture that one's own request started from. Raises RequestNotFound."""
    source = sources.of_request(find_request(request_id, by=by))
    if source is None:
        raise RequestNotFound
    return source


def find_image(image_id: UUID, *, by: AbstractBaseUser) -> GeneratedImage:
    image = images_of(by).select_related("request").filter(id=image_id).first()
    if image is None:
        raise ImageNotFound
    return image


def find_released_image(image_id: UUID, *, by: AbstractBaseUser) -> GeneratedImage:
    """The image whose file its owner may have: held and withheld ones look as if they were not.

    Raises ImageNotFound, ForAdults.
    """
    image = find_image(image_id, by=by)
    if image.state != ImageState.RELEASED:
        raise ImageNotFound(
            message="This image is not released.", advice="Its page says what happened to it."
        )
    if image.restriction == Restriction.AGE_RESTRICTED and not audiences.is_of_age(by.pk):
        raise ForAdults
    return image


def show_image(image_id: UUID, *, by: AbstractBaseUser, at: datetime) -> GeneratedImage:
    """Let its owner see a blurred image from now on. Raises ImageNotFound, WrongState."""
    with transaction.atomic():
        image = images_of(by).select_for_update().filter(id=image_id).first()
        if image is None:
            raise ImageNotFound
        image.show(at=at)
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
    """Delete an ended request with its images and the upload that it started from.

    Raises RequestNotFound, StillRunning, UnderReview.
    """
    with transaction.atomic():
        request = _locked(request_id, by=by)
        if request.is_active:
            raise StillRunning
        if SourcePicture.objects.filter(request=request, state=SourceState.HELD).exists():
            raise UnderReview
        for image in request.images.select_for_update().filter(deleted_at__isnull=True):
            _delete(image, at=at)
        sources.erase(request)
        request.mark_deleted(at=at)
        cases.withdraw_sampled("prompt", request_id)
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
    cases.withdraw_sampled("image", image.id)
    if name:
        transaction.on_commit(lambda: storage.delete(name))
