"""What its owner may do to a request: look at it, cancel it, delete it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse

from config.core import clock, events
from config.core.errors import ProofsheetError
from config.core.holds import asking
from config.core.holds.models import HeldKind
from config.core.notifications.feed import NewsSource, Notification
from generation.conditions import init_images
from generation.gallery import own_images
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    IdempotencyKey,
    ImageState,
    RequestAdapter,
    RequestStatus,
    SourcePicture,
    SourceState,
)
from generation.progress import previews
from generation.request_rules import failures
from moderation.cases import review_cases
from moderation.subjects.own_pages import OwnPage

DAY = timedelta(days=1)  # what was held for longer is told by its decision
LONG, TOLD_FOR = timedelta(minutes=2), timedelta(days=30)


class RequestNotFound(ProofsheetError):
    """Also what a stranger is told: whether a request exists is its owner's business."""

    default_code = "request_not_found"
    default_status = 404
    default_message = "There is no such request."
    default_advice = "It may have been deleted; your gallery shows what there is."


class StillRunning(ProofsheetError):
    default_code = "still_running"
    default_status = 409
    default_message = "The request is still on its way."
    default_advice = "Cancel it first, then delete it."


def parts() -> list[Prefetch[Any, Any, Any]]:
    """What an answer shows of a request beside its columns: `used_adapters`, `made_images`."""
    used = RequestAdapter.objects.select_related("adapter").order_by("position")
    made = GeneratedImage.objects.order_by("index")
    return [
        Prefetch("request_adapters", used, to_attr="used_adapters"),
        Prefetch("images", made, to_attr="made_images"),
    ]


def requests_of(user: AbstractBaseUser, project: UUID | None = None) -> QuerySet[GenerationRequest]:
    """The requests of the project in which the user acts, or of a named one where they are a
    member, that were not deleted, newest first; those of the live page are none."""
    return _shown(GenerationRequest.objects.current_of(user, project))


def _shown(rows: QuerySet[GenerationRequest]) -> QuerySet[GenerationRequest]:
    return (
        rows.filter(deleted_at__isnull=True, is_live=False)
        .select_related("model", "source__image")
        .prefetch_related(*parts())
        .order_by("-created_at", "-id")
    )


def find_request(request_id: UUID, *, by: AbstractBaseUser) -> GenerationRequest:
    """A request of one's projects. Raises RequestNotFound, also for deleted and live ones."""
    request = _shown(GenerationRequest.objects.visible_to(by)).filter(id=request_id).first()
    if request is None:
        raise RequestNotFound
    return request


def page_of(kind: str, subject_id: UUID, by: AbstractBaseUser) -> OwnPage | None:
    """Where they open what was decided about: an image, else the request of a prompt or an upload.
    None where it was deleted or is of a project that they left."""
    if kind == "image":
        kept = GeneratedImage.objects.visible_to(by).filter(deleted_at__isnull=True)
        image = kept.filter(id=subject_id).first()
        if image is not None:
            is_shown = image.state == ImageState.RELEASED and not image.restriction
            return OwnPage(reverse("generation:image", args=[subject_id]), has_thumbnail=is_shown)
    named = "id" if kind == "prompt" else "source"
    asked = _shown(GenerationRequest.objects.visible_to(by)).filter(**{named: subject_id}).first()
    return OwnPage(reverse("generation:request", args=[asked.id])) if asked else None


def find_source(request_id: UUID, *, by: AbstractBaseUser) -> SourcePicture:
    """The picture that one's own request started from. Raises RequestNotFound."""
    source = init_images.of_request(find_request(request_id, by=by))
    if source is None:
        raise RequestNotFound
    return source


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
    """Delete an ended request with its texts, its images and the upload that it started from.

    Raises RequestNotFound, StillRunning, own_images.UnderReview.
    """
    with transaction.atomic():
        request = _locked(request_id, by=by)
        if request.is_active:
            raise StillRunning
        erase(request, at=at)


def erase(request: GenerationRequest, *, at: datetime) -> None:
    """Delete a locked request that has ended, in the caller's transaction; files go on commit.

    Raises own_images.UnderReview, asking.UnderHold.
    """
    asking.require_free(own_images.subjects_of(request, request.id), at=at)
    if SourcePicture.objects.filter(request=request, state=SourceState.HELD).exists():
        raise own_images.UnderReview
    for image in request.images.select_for_update().filter(deleted_at__isnull=True):
        own_images.erase(image, at=at)
    init_images.erase(request)
    request.mark_deleted(at=at)
    IdempotencyKey.objects.filter(request=request).update(body_sha256="")
    review_cases.withdraw_sampled("prompt", request.id)
    events.after_commit(lambda: previews.forget(request.id))


def _worth_telling(user: User) -> QuerySet[GenerationRequest]:
    """Of a person's own project: what failed, and what took so long that they did not wait, if
    there is a picture to see. What is held or refused is told by its decision."""
    ready = GeneratedImage.objects.filter(state=ImageState.RELEASED, deleted_at__isnull=True)
    is_late = Q(status=RequestStatus.FINISHED, ended_at__gt=F("created_at") + LONG)
    is_late &= Q(Exists(ready.filter(request=OuterRef("pk"))))
    rows = GenerationRequest.objects.filter(owner=user, project__personal_of=user, is_live=False)
    rows = rows.filter(created_at__gt=clock.now() - TOLD_FOR)
    rows = rows.filter(is_late | Q(status=RequestStatus.FAILED), deleted_at__isnull=True)
    return rows.prefetch_related(*parts())


def _told(row: GenerationRequest) -> Notification:
    url = reverse("generation:request", args=[row.id])
    if row.status == RequestStatus.FAILED:
        why = failures.explain(row.code, row.failures).message
        return Notification(f"A request failed: {why}", url, "bad", row.prompt)
    of_it = [image for image in row.made_images if image.deleted_at is None]
    ready = [image for image in of_it if image.state == ImageState.RELEASED]
    count = f"{len(ready)} picture{'s are' if len(ready) != 1 else ' is'}"
    shown = next((image.id for image in ready if not image.restriction), None)
    return Notification(f"{count} ready", url, "good", row.prompt, shown)


NEWS = NewsSource(_worth_telling, "ended_at", _told, begins="created_at", within=DAY)

HELD_BY = {
    "account": "owner", "project": "project", "end_user": "end_user", "thing": "pk",
}  # fmt: skip
"""By which columns of a request a hold is on it."""


def whose_things(ids: list[UUID]) -> Iterator[tuple[HeldKind, object]]:
    """Whom a hold would be on that is on these pictures, of which the ids alone are known."""
    for image in GeneratedImage.objects.filter(id__in=ids):
        for kind, subjects in own_images.subjects_of(image, image.request_id).items():
            yield from ((kind, subject) for subject in subjects)


def _locked(request_id: UUID, *, by: AbstractBaseUser) -> GenerationRequest:
    request = (
        GenerationRequest.objects.changeable_by(by)
        .select_for_update()
        .filter(id=request_id, deleted_at__isnull=True)
        .first()
    )
    if request is None:
        raise RequestNotFound
    return request
