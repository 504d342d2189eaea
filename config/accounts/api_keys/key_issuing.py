"""API keys: making one, finding the one that a program shows, and ending them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from config.accounts.api_keys import key_format, key_networks
from config.core.errors import ProofsheetError
from config.core.projects import personal
from config.core.projects.models import Project
from config.models import ApiKey

Scope = ApiKey.Scope
LIFETIMES_DAYS = (7, 30, 90, 365)
OVERLAPS_HOURS = (0, 1, 24, 168)
MOST_KEYS = 20
_SEEN_EVERY = timedelta(minutes=1)
OF_STAFF = {Scope.REVIEW, Scope.EXPORT, Scope.OPERATE}
_FOR_ANYBODY = (
    *(Scope.READ, Scope.GENERATE, Scope.VERIFY),
    *(Scope.MODERATE, Scope.APPEALS_ACT, Scope.WEBHOOKS, Scope.MANAGE),
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


def scopes_for(user: User, project: Project | None = None) -> list[Scope]:
    """What a key of this person can be made for: nothing that her roles do not allow anyway, and in
    a project of several people nothing of the house's own work."""
    offered = [*_FOR_ANYBODY]
    if project is not None and not project.is_personal:
        return offered
    if user.has_perm("moderation.review_cases") or user.has_perm("moderation.hear_appeals"):
        offered.append(Scope.REVIEW)
    if user.has_perm("moderation.export_reports") or user.has_perm("moderation.hear_appeals"):
        offered.append(Scope.EXPORT)
    if user.is_staff:
        offered.append(Scope.OPERATE)
    return offered


def keys_of(user: User) -> QuerySet[ApiKey]:
    """Those that are not revoked, the newest first; ended ones among them."""
    rows = ApiKey.objects.owned_by(user).filter(revoked_at=None).select_related("project")
    return rows.order_by("-made_at", "-id")


@transaction.atomic
def make(
    *,
    by: User,
    name: str,
    scopes: Collection[str],
    days: int,
    at: datetime,
    project: Project | None = None,
    refusal_as: str = "",
    networks: Sequence[str] = (),
) -> tuple[ApiKey, str]:
    """A new key and its row, of the person's own project if none is named. The key is in no other
    place: whoever calls shows it once. `networks` are those from where alone it is good.

    Raises ScopeNotOffered, NetworkUnreadable, TooManyKeys.
    """
    offered = scopes_for(by, project)
    if not scopes or not set(scopes) <= set(offered) or days not in LIFETIMES_DAYS:
        raise ScopeNotOffered
    from_where = key_networks.parse(networks)
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
        refusal_as=refusal_as,
        networks=from_where,
        made_at=at,
        expires_at=at + timedelta(days=days),
    )
    return row, key


def keys_in(project: Project) -> QuerySet[ApiKey]:
    """A project's keys that are not revoked, the newest first."""
    rows = ApiKey.objects.select_related("owner", "project").filter(
        project=project, revoked_at=None
    )
    return rows.order_by("-made_at", "-id")


@transaction.atomic
def rotate(row: ApiKey, *, overlap_hours: int, at: datetime) -> tuple[ApiKey, str]:
    """A new key like this one, which ends after the overlap, at once for 0. Raises
    ScopeNotOffered."""
    if overlap_hours not in OVERLAPS_HOURS:
        raise ScopeNotOffered(
            message="A key cannot overlap its successor for so long.",
            advice=f"Choose one of: {', '.join(map(str, OVERLAPS_HOURS))} hours.",
        )
    old = ApiKey.objects.select_for_update().get(pk=row.pk)
    key, lifetime = key_format.new_key(), old.expires_at - old.made_at
    named = ("owner_id", "project_id", "name", "scopes", "refusal_as", "networks")
    made = ApiKey.objects.create(
        **{name: getattr(old, name) for name in named},
        digest=key_format.digest_of(key),
        hint=key_format.hint_of(key),
        made_at=at,
        expires_at=at + lifetime,
    )
    old.expires_at = min(old.expires_at, at + timedelta(hours=overlap_hours))
    old.save(update_fields=["expires_at"])
    return made, key


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
    rows = rows.filter(revoked_at=None, expires_at__gt=at, project__closed_at=None)
    row = rows.filter(digest=key_format.digest_of(key), owner__is_active=True).first()
    if row is not None and (row.last_used_at is None or row.last_used_at <= at - _SEEN_EVERY):
        not_seen = Q(last_used_at=None) | Q(last_used_at__lte=at - _SEEN_EVERY)
        ApiKey.objects.filter(not_seen, pk=row.pk).update(last_used_at=at)
    return row
