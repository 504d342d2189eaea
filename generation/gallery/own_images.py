"""What its owner may do to an image: look at it, have its file, let it be shown, delete it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from config.core.errors import ProofsheetError
from config.core.holds import asking
from config.core.holds.models import HeldKind
from generation.models import GeneratedImage, GenerationRequest, ImageState, Restriction
from moderation.account_status import audiences
from moderation.cases import review_cases


class ImageNotFound(ProofsheetError):
    default_code = "image_not_found"
    default_status = 404
    default_message = "There is no such image."
    default_advice = "It may have been deleted; your gallery shows what there is."


class ForAdults(ProofsheetError):
    default_code = "image_age_restricted"
    default_status = 403
    default_message = "This image is shown to adults only."
    default_advice = (
        "Choose the audience of adults on your account's page, if you are one; for a project of "
        "several people its owners say whether adult content exists."
    )


class UnderReview(ProofsheetError):
    default_code = "under_review"
    default_status = 409
    default_message = "A person is still to review this, so it cannot be deleted yet."
    default_advice = "Delete it once the review is decided; we will tell you when."


def images_of(user: AbstractBaseUser, project: UUID | None = None) -> QuerySet[GeneratedImage]:
    """The images of the project in which the user acts, or of a named one where they are a member,
    that were not deleted, newest first."""
    return _kept(GeneratedImage.objects.current_of(user, project))


def _kept(rows: QuerySet[GeneratedImage]) -> QuerySet[GeneratedImage]:
    return rows.filter(deleted_at__isnull=True).order_by("-created_at", "-id")


def find_image(image_id: UUID, *, by: AbstractBaseUser) -> GeneratedImage:
    """An image of one's projects in whatever state. Raises ImageNotFound, for deleted ones too."""
    mine = _kept(GeneratedImage.objects.visible_to(by))
    image = mine.select_related("request").filter(id=image_id).first()
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
    if _is_kept_from(by, image):
        raise ForAdults
    return image


def _is_kept_from(by: AbstractBaseUser, image: GeneratedImage) -> bool:
    is_for_adults = image.restriction == Restriction.AGE_RESTRICTED
    return is_for_adults and not audiences.may_have_adult(by, image.project)


def released_images(image_ids: list[UUID], *, by: AbstractBaseUser) -> list[GeneratedImage]:
    """Those of them whose files their owner may have, as `find_released_image` says of one."""
    mine = _kept(GeneratedImage.objects.visible_to(by)).exclude(file="")
    rows = mine.filter(id__in=image_ids, state=ImageState.RELEASED).select_related("project")
    return [image for image in rows if not _is_kept_from(by, image)]


def show_image(image_id: UUID, *, by: AbstractBaseUser, at: datetime) -> GeneratedImage:
    """Let its owner see a blurred image from now on. Raises ImageNotFound, WrongState."""
    with transaction.atomic():
        image = _locked(image_id, by=by)
        if image is None:
            raise ImageNotFound
        image.show(at=at)
    return image


def delete_image(image_id: UUID, *, by: AbstractBaseUser, at: datetime) -> None:
    """Delete an image's file for good; its log entry stays. Raises ImageNotFound, UnderReview."""
    with transaction.atomic():
        image = _locked(image_id, by=by)
        if image is None:
            raise ImageNotFound
        erase(image, at=at)


def delete_images(image_ids: list[UUID], *, by: AbstractBaseUser, at: datetime) -> None:
    """Delete all of these images or, when one of them may not be deleted, none.

    Raises what `delete_image` raises.
    """
    with transaction.atomic():
        for image_id in image_ids:
            delete_image(image_id, by=by, at=at)


def _locked(image_id: UUID, *, by: AbstractBaseUser) -> GeneratedImage | None:
    mine = _kept(GeneratedImage.objects.changeable_by(by))
    return mine.select_for_update().filter(id=image_id).first()


def subjects_of(row: GeneratedImage | GenerationRequest, *things: UUID) -> asking.Subjects:
    """By what a hold is on it."""
    return {
        HeldKind.ACCOUNT: [row.owner_id],
        HeldKind.PROJECT: [row.project_id],
        HeldKind.END_USER: [row.end_user_id],
        HeldKind.THING: things,
    }


def erase(image: GeneratedImage, *, at: datetime) -> None:
    """Delete a locked image in the caller's transaction; the file goes on commit.

    Raises UnderReview, asking.UnderHold.
    """
    asking.require_free(subjects_of(image, image.id, image.request_id), at=at)
    if image.state == ImageState.HELD:
        raise UnderReview
    name = image.file.name
    storage = image.file.storage
    image.mark_deleted(at=at)
    review_cases.withdraw_sampled("image", image.id)
    if name:
        transaction.on_commit(lambda: storage.delete(name))
