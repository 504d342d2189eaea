"""API keys: making one, finding the one that a program shows, and ending them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from config.accounts.api_keys import key_format
from config.core.errors import ProofsheetError
from config.core.projects import personal
from config.core.projects.models import Project
from config.models import ApiKey

Scope = ApiKey.Scope
LIFETIMES_DAYS = (7, 30, 90, 365)
MOST_KEYS = 20
_SEEN_EVERY = timedelta(minutes=1)
OF_STAFF = {Scope.REVIEW, Scope.EXPORT, Scope.OPERATE}
_FOR_ANYBODY = (
    *(Scope.READ, Scope.GENERATE, Scope.VERIFY),
    *(Scope.MODERATE, Scope.APPEALS_ACT, Scope.WEBHOOKS),
)


class TooManyKeys(ProofsheetError):
    """The account has as many good keys as it may."""

    default_code = "too_many_keys"
    default_message = f"An account has {MOST_KEYS} keys at most."
    default_advice = "Revoke one that no program uses any more."
    default_status = 409


class KeyNotFound(ProofsheetError):
    """No key of the caller's that is not revoked."""

    default_code = "key_not_found"
    default_message = "There is no such key among yours."
    default_advice = "It may be revoked already: your keys are on your account’s page."
    default_status = 404


class ScopeNotOffered(ProofsheetError):
    """Asked for more than the person's roles allow, or for another lifetime."""

    default_code = "scope_not_offered"
    default_message = "A key of yours cannot have that scope."
    default_advice = "Choose among the scopes that the page offers."
    default_status = 400


class KeyMayNot(ProofsheetError):
    """The key is good, but was made for other calls."""

    default_code = "key_scope_missing"
    default_message = "This key was not made for such calls."
    default_advice = "Make a key with that scope on your account’s page."
    default_status = 403


def scopes_for(user: User) -> list[Scope]:
    """What a key of this person can be made for: nothing that her roles do not allow anyway."""
    offered = [*_FOR_ANYBODY]
    if user.has_perm("moderation.review_cases") or user.has_perm("moderation.hear_appeals"):
        offered.append(Scope.REVIEW)
    if user.has_perm("moderation.export_reports") or user.has_perm("moderation.hear_appeals"):
        offered.append(Scope.EXPORT)
    if user.is_staff:
        offered.append(Scope.OPERATE)
    return offered


def keys_of(user: User) -> QuerySet[ApiKey]:
    """Those that are not revoked, the newest first; ended ones among them."""
    return ApiKey.objects.owned_by(user).filter(revoked_at=None).order_by("-made_at", "-id")


@transaction.atomic
def make(
    *,
    by: User,
    name: str,
    scopes: Collection[str],
    days: int,
    at: datetime,
    project: Project | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its row, of the person's own project if none is named. The key is in no other
    place: whoever calls shows it once.

    Raises ScopeNotOffered or TooManyKeys.
    """
    if not scopes or not set(scopes) <= set(scopes_for(by)) or days not in LIFETIMES_DAYS:
        raise ScopeNotOffered
    User.objects.select_for_update().get(pk=by.pk)  # two at once count each other
    if keys_of(by).filter(expires_at__gt=at).count() >= MOST_KEYS:
        raise TooManyKeys
    key = key_format.new_key()
    row = ApiKey.objects.create(
        owner=by,
        project=project or personal.project_of(by),
        name=name,
        digest=key_format.digest_of(key),
        hint=key_format.hint_of(key),
        scopes=sorted(scopes),
        made_at=at,
        expires_at=at + timedelta(days=days),
    )
    return row, key


def revoke(key_id: int, *, by: User, at: datetime) -> None:
    """Raises KeyNotFound for one that is not hers or is revoked already."""
    if not keys_of(by).filter(pk=key_id).update(revoked_at=at):
        raise KeyNotFound


def revoke_all(owner_id: int, *, at: datetime) -> int:
    """With a password changed or an account suspended or closed: how many there were."""
    return ApiKey.objects.filter(owner_id=owner_id, revoked_at=None).update(revoked_at=at)


def revoke_beyond_rights(owner: User, *, at: datetime) -> int:
    """With a role lost: keys for what the person no longer may. How many there were."""
    lost = OF_STAFF - set(scopes_for(owner))
    beyond = [row.pk for row in keys_of(owner) if lost & set(row.scopes)]
    return ApiKey.objects.filter(pk__in=beyond).update(revoked_at=at)


def find(key: str, *, at: datetime) -> ApiKey | None:
    """The key that is good at `at`, of an open account; its last use is written once a minute."""
    if not key_format.is_spelled_right(key):
        return None
    rows = ApiKey.objects.select_related("owner", "project")
    rows = rows.filter(revoked_at=None, expires_at__gt=at)
    row = rows.filter(digest=key_format.digest_of(key), owner__is_active=True).first()
    if row is not None and (row.last_used_at is None or row.last_used_at <= at - _SEEN_EVERY):
        not_seen = Q(last_used_at=None) | Q(last_used_at__lte=at - _SEEN_EVERY)
        ApiKey.objects.filter(not_seen, pk=row.pk).update(last_used_at=at)
    return row
