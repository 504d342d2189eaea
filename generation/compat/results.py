"""What came of a job: its pictures, or the one error that says why there is none."""

from __future__ import annotations

from config.core.errors import ProofsheetError
from generation.compat.jobs import Job
from generation.compat.safety_refusals import HeldForReview, refusal_of
from generation.conditions import init_images
from generation.models import GeneratedImage, ImageState, RequestStatus, Restriction
from generation.request_rules import failures
from moderation.account_status import audiences


class JobCancelled(ProofsheetError):
    """Its owner cancelled it, or deleted what it made, before it was answered."""

    default_code = "request_cancelled"
    default_message = "The request was cancelled before its picture was delivered."
    default_advice = "Ask again."


class JobFailed(ProofsheetError):
    """What went wrong is said by its code; a repeat makes it anew."""

    default_code = "render_failed"
    default_status = 500


def pictures_of(job: Job) -> list[GeneratedImage]:
    """The released pictures in order, at least one.

    Raises SafetyRefusal, HeldForReview, JobFailed, JobCancelled where there is none.
    """
    made = list(
        GeneratedImage.objects.filter(request__in=job.ids, deleted_at__isnull=True)
        .select_related("request")
        .order_by("index")
    )
    places = {request_id: place for place, request_id in enumerate(job.ids)}
    made.sort(key=lambda image: (places[image.request_id], image.index))
    released = [image for image in made if _may_have(image, job)]
    if released:
        return released
    raise _why_none(job, made)


def _may_have(image: GeneratedImage, job: Job) -> bool:
    if image.state != ImageState.RELEASED or not image.file:
        return False
    is_for_all = image.restriction != Restriction.AGE_RESTRICTED
    return is_for_all or audiences.may_have_adult(job.caller.user, job.caller.project)


def _why_none(job: Job, made: list[GeneratedImage]) -> ProofsheetError:
    """A refusal before a hold before a failure: what its person can do most about comes first."""
    subjects = [*job.ids, *(image.id for image in made)]
    subjects += [source.id for source in init_images.stopped(job.ids).values()]
    if refusal := refusal_of(subjects):
        return refusal
    held = {image.request_id for image in made if image.state == ImageState.HELD}
    for request in job.requests:
        if request.is_held or request.id in held:
            return HeldForReview(request, subjects)
    for request in job.requests:
        if request.status == RequestStatus.FAILED:
            why = failures.explain(request.code, request.failures)
            return JobFailed(request.code, why.message, why.advice)
    return JobCancelled()
