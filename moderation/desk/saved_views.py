"""Named filters of the queue: some that everybody has, and each reviewer's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from config.core.errors import ProofsheetError
from moderation.models import SavedView

MOST = 20  # a reviewer


class ViewInvalid(ProofsheetError):
    """The name is empty or too long, or too many are kept."""

    default_code = "view_invalid"
    default_message = f"A view needs a name of 1 to 60 characters; {MOST} can be kept."
    default_advice = "Name it, or forget one that you no longer use."
    default_status = 422


class ViewNotFound(ProofsheetError):
    """There is no such view, or it is somebody else's."""

    default_code = "view_not_found"
    default_message = "There is no such view among yours."
    default_advice = "Go back to the queue."
    default_status = 404


@dataclass(frozen=True, slots=True)
class View:
    """`id` is None for one that ships."""

    name: str
    url: str
    id: int | None = None


def shipped(by: User) -> list[View]:
    """The views that everybody has; appeals only for who hears them."""
    queue = reverse("moderation:review")
    views = [
        View("Severe", f"{queue}?is_severe=on"),
        View("Mine", f"{queue}?whose=mine"),
    ]
    if by.has_perm("moderation.hear_appeals"):
        views.insert(0, View("Appeals due today", f"{reverse('moderation:appeals')}?due=today"))
    return views


def of(by: User) -> list[View]:
    """The shipped views and then one's own, by name."""
    own = SavedView.objects.filter(owner=by).order_by("name")
    return shipped(by) + [View(row.name, row.get_absolute_url(), row.pk) for row in own]


@transaction.atomic
def save(name: str, wanted: Mapping[str, Any], *, by: User, at: datetime) -> SavedView:
    """Keep a filter under a name, instead of an earlier one of that name. Raises ViewInvalid."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    words = " ".join(name.replace("\0", " ").split())
    others = SavedView.objects.filter(owner=by).exclude(name=words).count()
    if not 1 <= len(words) <= 60 or others >= MOST:
        raise ViewInvalid
    row, _ = SavedView.objects.update_or_create(
        owner=by, name=words, defaults={"wanted": dict(wanted), "saved_at": at}
    )
    return row


def forget(view_id: int, *, by: User) -> None:
    """Drop one of one's own. Raises ViewNotFound."""
    deleted, _ = SavedView.objects.filter(owner=by, pk=view_id).delete()
    if not deleted:
        raise ViewNotFound
