"""The live page: the picture follows the typing.

Each pause in the typing is an interactive request of few steps. A newer one makes the older ones
stale: they are cancelled where they wait, and dropped at the next step where they denoise. One
whose picture would look like the shown one is spared: nothing is denoised for it (ADR 55). What
comes out is marked and screened like every picture, then shown from the cache for a minute and
never stored. What the screening stops is not shown; an image that it stops goes the usual way,
with a case or a statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet

from adapters.models import BaseModel
from config.core import notify, retention
from config.core.errors import ProofsheetError
from config.core.holds import asking
from generation.conditions import init_images
from generation.line import claims
from generation.models import ACTIVE, GenerationRequest, RequestAdapter, RequestStatus
from generation.request_rules.parameters import RequestParameters, check
from generation.requests import prompt_screening, submitting
from moderation.account_status import audiences
from moderation.policy import overlays
from moderation.screening import classify

LIFETIME_S = 60
KEPT_FOR = timedelta(days=1)  # as long as quotas look back


class Stopped(ProofsheetError):
    default_code = "live_prompt_stopped"
    default_message = "The screening would stop this prompt, so nothing is drawn live."


@dataclass(frozen=True, slots=True)
class LivePicture:
    """A marked PNG that passed its screening. `drawn_for` is the request that it was drawn for; one
    that was spared shows the same."""

    drawn_for: UUID
    png: bytes

    def as_bytes(self) -> bytes:
        return self.drawn_for.bytes + self.png

    @classmethod
    def of(cls, kept: bytes) -> LivePicture:
        return cls(UUID(bytes=kept[:16]), kept[16:])


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """What the live page shows now, and the prompt that it was drawn for."""

    picture: LivePicture
    prompt: str


@dataclass(frozen=True, slots=True)
class Setting:
    """All that a picture and its screening depend on, but for the prompt."""

    profile: str
    others: tuple[object, ...]

    def sha256(self) -> str:
        return sha256(repr((self.profile, self.others)).encode()).hexdigest()


def steps_of(model: BaseModel) -> int:
    """How many steps the live page takes with `model`."""
    return min(model.live_steps, model.few_steps)


def draw(parameters: RequestParameters, *, by: AbstractBaseUser, at: datetime) -> UUID:
    """Ask for the picture of `parameters` and drop what was asked before; its request's id.

    What would not change the picture asks for nothing. Raises what `submitting.submit` raises.
    """
    digest = check(parameters).sha256()
    newest = cache.get(_newest_key(by.pk))
    if newest is not None and newest[1] == digest:
        return UUID(newest[0])
    with transaction.atomic():
        drop(by=by, at=at)
        made = submitting.submit(parameters, by=by, at=at, is_live=True).request
        # Before the commit that sends it on: a worker takes what is not the newest for stale.
        cache.set(_newest_key(by.pk), (str(made.id), digest), LIFETIME_S)
    return made.id


def drop(*, by: AbstractBaseUser, at: datetime) -> None:
    """Cancel the owner's live requests that are still on their way."""
    cache.delete(_newest_key(by.pk))
    with transaction.atomic():
        stale = (
            GenerationRequest.objects.owned_by(by)
            .select_for_update()
            .filter(is_live=True, status__in=ACTIVE)
        )
        for request in stale:
            if request.status == RequestStatus.RUNNING:
                request.ask_to_cancel(at=at)
            else:
                request.cancel(at=at)


def is_stale(request: GenerationRequest) -> bool:
    """Whether something newer was typed; sooner known than by the lease's heartbeat."""
    newest = cache.get(_newest_key(request.owner_id))
    return newest is None or newest[0] != str(request.id)


def setting_of(
    request: GenerationRequest,
    adapters: Iterable[RequestAdapter],
    source: init_images.Loaded | None,
) -> Setting:
    """Of a request with the adapters and the picture that the worker has loaded for it."""
    others = (
        request.model_id,
        request.model.digest,
        request.negative_prompt,
        request.steps,
        request.guidance,
        request.seed,
        request.width,
        request.height,
        request.label,
        (source.sha256, source.strength) if source else None,
        tuple((row.sha256, row.weight) for row in adapters),
    )
    return Setting(audiences.profile_for(request.project), others)


def shown_to(request: GenerationRequest, setting: Setting) -> ShownPicture | None:
    """The owner's newest picture, where `request` differs from it in nothing but the prompt; for a
    minute after it was drawn, so that none outlives its screening for long."""
    found = cache.get(_shown_key(request.owner_id))
    if found is None or found[0] != setting.sha256():
        return None
    _, prompt, drawn_for = found
    drawn: bytes | None = cache.get(_picture_key(request.owner_id, drawn_for))
    return None if drawn is None else ShownPicture(LivePicture.of(drawn), prompt)


def check_prompt(request: GenerationRequest, setting: Setting) -> None:
    """Screen the prompt before anything of its picture is used; the render worker does so itself,
    without a way through another queue. Raises Stopped.

    Half a sentence is nobody's case: nothing is stored, and the page says where to submit it.
    """
    overlay = overlays.in_force(request.project_id)
    judged = classify.judge_prompt(
        request.prompt,
        profile=setting.profile,
        overlay=overlay,
        shows=prompt_screening.shown_beside(request),
    )
    if judged.verdict != "allow":
        raise Stopped


def finish(
    claim: claims.Claim,
    setting: Setting,
    png: bytes,
    timings: dict[str, float],
    *,
    at: datetime,
) -> None:
    """Show a marked picture that passed its screening, and end the request without an image.

    Raises LeaseLost.
    """
    with transaction.atomic():
        request = claims.locked(claim)
        if request.cancel_requested_at is not None:
            request.cancel(at=at)
            return
        _show(request, LivePicture(request.id, png))
        shown = (setting.sha256(), request.prompt, str(request.id))
        cache.set(_shown_key(request.owner_id), shown, LIFETIME_S)
        request.add_up(timings)
        request.finish(at=at)


def spare(claim: claims.Claim, shown: ShownPicture, *, at: datetime) -> None:
    """Show once more what is shown. Nothing was made, so the request ends as a dropped one does: in
    no quota, no estimate and no price. Raises LeaseLost."""
    with transaction.atomic():
        request = claims.locked(claim)
        if request.cancel_requested_at is None:
            _show(request, shown.picture)
        request.cancel(at=at)


def _show(request: GenerationRequest, drawn: LivePicture) -> None:
    """Before the commit of the end: who sees that may rely on the picture."""
    cache.set(_picture_key(request.owner_id, request.id), drawn.as_bytes(), LIFETIME_S)
    notify.wake(wake_name(request.id))


def keep(claim: claims.Claim) -> None:
    """What the screening stopped becomes a request like any other. Raises LeaseLost."""
    with transaction.atomic():
        request = claims.locked(claim)
        request.is_live = False
        request.save()


def picture(request_id: UUID, *, by: AbstractBaseUser) -> LivePicture | None:
    """The owner's picture, while it is there."""
    found: bytes | None = cache.get(_picture_key(by.pk, request_id))
    return None if found is None else LivePicture.of(found)


def find(request_id: UUID, *, by: AbstractBaseUser) -> GenerationRequest | None:
    """The owner's request; one that was kept counts too."""
    return GenerationRequest.objects.owned_by(by).filter(id=request_id).first()


def forget(*, at: datetime) -> int:
    """Delete the rows of pictures that nobody kept; how many."""
    return retention.in_batches(lambda: _over(at))


def due(*, at: datetime) -> int:
    """How many would go."""
    return _over(at).count()


def _over(at: datetime) -> QuerySet[GenerationRequest]:
    rows = GenerationRequest.objects.filter(is_live=True, ended_at__lt=at - KEPT_FOR)
    return asking.without_held(
        rows, at=at, account="owner", project="project", end_user="end_user", thing="pk"
    )


def wake_name(request_id: UUID) -> str:
    """Under which the page's request sleeps until there is something to see."""
    return f"wake:live:{request_id}"


def _newest_key(owner_id: int) -> str:
    return f"live:{owner_id}"


def _shown_key(owner_id: int) -> str:
    return f"live:{owner_id}:shown"


def _picture_key(owner_id: int, request_id: UUID | str) -> str:
    return f"live:{owner_id}:{request_id}"
