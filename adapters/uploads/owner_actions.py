"""Receive an upload, fit one to a lower rank, withdraw it: all that its owner may do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.text import slugify

from adapters.access import sharing, visibility
from adapters.checks.inspection import TooLarge
from adapters.models import REFUSED, STOPPED, Adapter, AdapterWrongState, BaseModel
from adapters.uploads import quarantine
from adapters.uploads.quarantine import Quarantined
from config.core import clock, events
from config.core.errors import ProofsheetError
from config.core.holds import asking
from config.core.holds.models import HeldKind
from config.core.projects import calling
from moderation.account_status import restrictions
from moderation.policy.rulebook.characters import visible

STALLED = timedelta(minutes=5)
ABANDONED = timedelta(hours=1)
TAGS_MAX = 8


class NotFittable(ProofsheetError):
    """No lower rank would help: it fits already, or fails for another reason."""

    default_code = "not_fittable"
    default_status = 409
    default_message = "Only an adapter whose rank is above its model's can be fitted."
    default_advice = "Its report says what else is wrong with it."


class BeingFitted(ProofsheetError):
    """Its file is still read, so it cannot be erased yet."""

    default_code = "being_fitted"
    default_status = 409
    default_message = "A lower rank is being made from this file just now."
    default_advice = "Remove it in a minute, once that is done."


@dataclass(frozen=True, slots=True)
class Details:
    """What the owner says. An empty model is found from the file."""

    name: str = ""
    model: str = ""
    description: str = ""
    trigger: str = ""
    licence: str = ""
    tags: Sequence[str] = ()
    shows_a_person: bool = False
    has_consent: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """`is_new` is false when the owner had uploaded the very file before."""

    adapter: Adapter
    is_new: bool


def receive(
    upload: Quarantined, details: Details, *, by: AbstractBaseUser, at: datetime
) -> Received:
    """Store an upload and send it to be checked; the same file of the same owner is the same
    adapter. Raises TooLarge, ModelNotRegistered, AccountSuspended."""
    try:
        restrictions.check(by.pk, at=at)
        if upload.is_too_large:
            raise TooLarge
        model = visibility.find_model(details.model) if details.model else None
        return _receive(upload, details, model, by=by, at=at)
    except BaseException:
        quarantine.discard(upload.stored_as)
        raise


def _receive(
    upload: Quarantined,
    details: Details,
    model: BaseModel | None,
    *,
    by: AbstractBaseUser,
    at: datetime,
) -> Received:
    try:
        with transaction.atomic():
            if known := _known(upload, by=by):
                return Received(_once_more(known, upload, model), is_new=False)
            adapter = Adapter.objects.create(
                slug=_slug(details.name or _stem(upload)),
                owner_id=by.pk,
                project=calling.project_for(by),
                base_model=model,
                original=upload.stored_as,
                sha256=upload.sha256,
                size_bytes=upload.size or 0,
                created_at=at,
                **_said(details, upload, at=at),
            )
            _send_to_check(adapter)
    except IntegrityError:
        if (known := _known(upload, by=by)) is None:
            raise
        quarantine.discard(upload.stored_as)  # two equal uploads at once: the first one counts
        return Received(known, is_new=False)
    return Received(adapter, is_new=True)


def known_sentence(adapter: Adapter) -> str:
    """Of a file that its owner had sent before, under whatever name."""
    return f"You uploaded this very file before, as “{adapter.name}”: here it is."


def twin_sentence(twin: Adapter) -> str:
    """Of a file whose layers are those of an adapter that was there before."""
    return f"Its layers are those of “{twin.name}”, number by number."


def _known(upload: Quarantined, *, by: AbstractBaseUser) -> Adapter | None:
    """A refused one counts though it was withdrawn: a new upload does not undo a decision."""
    withdrawn = Q(state=Adapter.State.WITHDRAWN) & ~Q(code__in=(REFUSED, STOPPED))
    mine = Adapter.objects.current_of(by).filter(owner_id=by.pk).exclude(withdrawn)
    return mine.select_for_update(of=("self",)).filter(sha256=upload.sha256).first()


def _once_more(adapter: Adapter, upload: Quarantined, model: BaseModel | None) -> Adapter:
    """A rejected one is checked again: models come, and the owner may have chosen another."""
    if adapter.state != Adapter.State.REJECTED or adapter.is_refused:
        quarantine.discard(upload.stored_as)
        return adapter
    adapter.original, adapter.base_model = upload.stored_as, model
    adapter.upload_again()
    _send_to_check(adapter)
    return adapter


def _said(details: Details, upload: Quarantined, *, at: datetime) -> dict[str, object]:
    tags = dict.fromkeys(tag.strip().lower()[:30] for tag in details.tags if tag.strip())
    has_consent = details.shows_a_person and details.has_consent
    return {
        "name": (details.name or _stem(upload))[:120],
        "description": details.description[:4000],
        "trigger": details.trigger[:120],
        "licence": details.licence[:200],
        "tags": list(tags)[:TAGS_MAX],
        "shows_a_person": details.shows_a_person,
        "consent_attested_at": at if has_consent else None,
    }


def _stem(upload: Quarantined) -> str:
    return visible(PurePath(upload.name or "").stem) or "adapter"


def _send_to_check(adapter: Adapter) -> None:
    """With the broker away the row still stands, and `send_again` sends the ticket."""
    task = "adapters.tasks.fit" if adapter.parent_sha256 else "adapters.tasks.validate"
    events.send(task, str(adapter.id))


def _slug(name: str) -> str:
    return f"{slugify(name)[:50] or 'adapter'}-{uuid4().hex[:8]}"


@transaction.atomic
def fit_to_ceiling(slug: str, *, by: AbstractBaseUser, at: datetime) -> Adapter:
    """A new adapter derived from one whose rank is too high. Raises AdapterNotFound, NotFittable.

    Asking twice gives the same one.
    """
    parent = sharing.owned(slug, by=by)
    if parent.code != "rank_too_high" or parent.base_model is None:
        raise NotFittable
    derived = parent.derived.exclude(state=Adapter.State.WITHDRAWN).first()
    if derived is not None:
        return derived
    rank = parent.base_model.rank_ceiling
    derived = Adapter.objects.create(
        slug=_slug(f"{parent.name}-rank-{rank}"),
        name=f"{parent.name[:100]} (rank {rank})",
        owner_id=by.pk,
        project_id=parent.project_id,
        base_model=parent.base_model,
        parent=parent,
        parent_sha256=parent.sha256,
        # Until the file is there its digest is that of what it will be made from.
        sha256=hashlib.sha256(f"{parent.sha256} rank {rank}".encode()).hexdigest(),
        size_bytes=0,
        created_at=at,
        **{
            name: getattr(parent, name)
            for name in ("description", "trigger", "licence", "tags", "shows_a_person",
                         "consent_attested_at")
        },
    )  # fmt: skip
    _send_to_check(derived)
    return derived


@transaction.atomic
def withdraw(slug: str, *, by: AbstractBaseUser, at: datetime) -> Adapter:
    """Neither new requests nor waiting ones can use it; running ones end. Raises AdapterNotFound,
    AdapterWrongState."""
    adapter = sharing.owned(slug, by=by)
    adapter.withdraw(at=at)
    return adapter


@transaction.atomic
def remove(slug: str, *, by: AbstractBaseUser) -> None:
    """Erase an upload that the check turned away, its file with it; what a moderator decided about
    stays. Raises AdapterNotFound, AdapterWrongState, BeingFitted."""
    adapter = sharing.owned(slug, by=by)
    whose: asking.Subjects = {
        HeldKind.ACCOUNT: [adapter.owner_id],
        HeldKind.PROJECT: [adapter.project_id],
        HeldKind.THING: [adapter.id],
    }
    asking.require_free(whose, at=clock.now())
    if not adapter.was_never_usable:
        raise AdapterWrongState
    on_their_way = (Adapter.State.UPLOADED, Adapter.State.VALIDATING)
    if adapter.derived.filter(state__in=on_their_way).exists():
        raise BeingFitted
    original, sha256 = str(adapter.original.name or ""), adapter.sha256
    adapter.delete()
    if original:
        transaction.on_commit(lambda: _erase(original, sha256), robust=True)


def _erase(original: str, sha256: str) -> None:
    """Unless somebody else uploaded the very same file: it is stored once."""
    if not Adapter.objects.filter(Q(original=original) | Q(sha256=sha256)).exists():
        quarantine.erase(original)


@transaction.atomic
def discard(slug: str, *, by: AbstractBaseUser, at: datetime) -> None:
    """Remove what was never usable, withdraw what was. Raises what those raise."""
    if sharing.owned(slug, by=by).was_never_usable:
        remove(slug, by=by)
    else:
        withdraw(slug, by=by, at=at)


def clear_quarantine(*, at: datetime) -> None:
    """Remove what no upload names: of a process that was killed, of one withdrawn unchecked."""
    lost = quarantine.lost(before=at - ABANDONED)
    waiting = (Adapter.State.UPLOADED, Adapter.State.VALIDATING)
    named = Adapter.objects.filter(original__in=lost, state__in=waiting)
    for name in set(lost) - set(named.values_list("original", flat=True)):
        quarantine.discard(name)


def send_again(*, at: datetime) -> None:
    """New tickets for checks whose ticket was lost; one that still runs loses nothing by it."""
    waiting = Q(state__in=(Adapter.State.UPLOADED, Adapter.State.VALIDATING))
    for adapter in Adapter.objects.filter(waiting, created_at__lt=at - STALLED):
        _send_to_check(adapter)
