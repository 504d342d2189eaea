"""An owner's adapter under its lock, and the link by which others may use it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from adapters.access.visibility import AdapterNotFound
from adapters.models import Adapter, AdapterShare, AdapterWrongState
from config.core.errors import ProofsheetError


class LinkUnknown(ProofsheetError):
    """No accepted adapter is shared by that link: it was replaced, taken back, or never was one."""

    default_code = "link_unknown"
    default_status = 404
    default_message = "This link opens no adapter."
    default_advice = "Its owner may have taken it back: ask for a new one."


@transaction.atomic
def share(slug: str, *, by: AbstractBaseUser, with_link: bool) -> Adapter:
    """Make a new link (an earlier one stops working), or take sharing back.

    Raises AdapterNotFound, AdapterWrongState.
    """
    adapter = owned(slug, by=by)
    if adapter.review_asked_at:
        raise AdapterWrongState
    adapter.share(Adapter.Visibility.LINK if with_link else Adapter.Visibility.PRIVATE)
    adapter.shares.all().delete()
    return adapter


def open_link(share_key: UUID, *, by: AbstractBaseUser, at: datetime) -> Adapter:
    """Let `by` see and use the adapter that the link names. Raises LinkUnknown."""
    shared = Adapter.objects.filter(visibility=Adapter.Visibility.LINK, share_key=share_key)
    adapter = shared.filter(state=Adapter.State.ACCEPTED).first()
    if adapter is None:
        raise LinkUnknown
    if adapter.owner_id != by.pk:
        AdapterShare.objects.update_or_create(
            adapter=adapter, user_id=by.pk, defaults={"share_key": share_key, "opened_at": at}
        )
    return adapter


def owned(slug: str, *, by: AbstractBaseUser) -> Adapter:
    """An adapter of the person's projects under its lock, in the caller's transaction.

    Raises AdapterNotFound.
    """
    found = Adapter.objects.changeable_by(by).select_for_update(of=("self",))
    adapter = found.select_related("base_model", "owner").filter(slug=slug).first()
    if adapter is None:
        raise AdapterNotFound
    return adapter
