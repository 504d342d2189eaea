"""Giving and taking roles: one person asks, another confirms, and the log keeps that it was so.

Nobody changes a role of their own, and nobody confirms what they asked for. So an operator who
opens an account, or several, has none that reads a case.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from config.accounts.api_keys import key_issuing
from config.accounts.roles.role_permissions import PERMISSIONS
from config.accounts.sign_in import sessions
from config.core import events
from config.core.errors import ProofsheetError
from config.models import RoleChange
from provenance.log import transparency_log

Kind, Status = RoleChange.Kind, RoleChange.Status
WITHOUT_ROLE = {Kind.SECOND_FACTOR, Kind.CLOSE, Kind.OPEN}
RIGHT = "house.change_roles"
LIFETIME = timedelta(days=7)
ROLE_CHANGED = "account.role"
ROLE_PROVIDED = "account.provided_role"


class MayNotChangeRoles(ProofsheetError):
    """Who asks or confirms has not that right."""

    default_code = "may_not_change_roles"
    default_message = "Your account may not change roles."
    default_advice = "Ask an operator or a senior moderator."
    default_status = 403


class NeedsAnotherPerson(ProofsheetError):
    """Four eyes: nobody changes an own role, nor confirms an own wish."""

    default_code = "needs_another_person"
    default_message = "Somebody else has to do this: it is your own role, or you asked for it."
    default_advice = "Any other operator or senior moderator can."
    default_status = 403


class NothingToChange(ProofsheetError):
    """The account is so already, or the same change waits."""

    default_code = "nothing_to_change"
    default_message = "There is nothing to change: it is so already, or it was asked for before."
    default_advice = "Look at the list of what waits."
    default_status = 409


class ChangeNotFound(ProofsheetError):
    """Nothing waits under that id any more."""

    default_code = "role_change_not_found"
    default_message = "No such change waits: it was decided, or a week has passed."
    default_advice = "Ask for it again if it is still wanted."
    default_status = 404


def is_changed_by_two(account: User) -> bool:
    """Also of a closed one: then one person neither closes nor opens it."""
    return account.is_staff or account.groups.exists()


def waiting(*, at: datetime) -> QuerySet[RoleChange]:
    """What can be confirmed at `at`, oldest first."""
    rows = RoleChange.objects.filter(status=Status.WAITING, asked_at__gt=at - LIFETIME)
    return rows.select_related("account", "asked_by").order_by("asked_at", "id")


def decided() -> QuerySet[RoleChange]:
    """What no longer waits, the newest decision first."""
    rows = RoleChange.objects.exclude(status=Status.WAITING)
    return rows.select_related("account", "asked_by", "decided_by").order_by("-decided_at", "id")


@transaction.atomic
def ask(account: User, *, kind: str, role: str, by: User, at: datetime) -> RoleChange:
    """Raises MayNotChangeRoles, NeedsAnotherPerson or NothingToChange."""
    _check_right(by)
    if account.pk == by.pk or account.is_superuser:
        raise NeedsAnotherPerson
    _give_up_old(account, at=at)
    row = _asked(account, kind=kind, role=role, by=by, at=at)
    _tell(row)
    return row


@transaction.atomic
def confirm(change_id: UUID, *, by: User, at: datetime) -> RoleChange:
    """Put it in force. Raises MayNotChangeRoles, NeedsAnotherPerson, ChangeNotFound or
    NothingToChange.
    """
    _check_right(by)
    row = _locked(change_id, at=at)
    if by.pk in {row.asked_by_id, row.account_id}:
        raise NeedsAnotherPerson
    _put_in_force(row, by=by, at=at)
    return row


@transaction.atomic
def decline(change_id: UUID, *, by: User, at: datetime) -> None:
    """By anybody who may change roles, who asked included; but not by who would lose by it. Raises
    MayNotChangeRoles, NeedsAnotherPerson or ChangeNotFound.
    """
    _check_right(by)
    row = _locked(change_id, at=at)
    if row.is_loss and by.pk == row.account_id:
        raise NeedsAnotherPerson
    row.decide(Status.DECLINED, by=by, at=at)


@transaction.atomic
def appoint(account: User, *, kind: str, role: str, at: datetime) -> RoleChange:
    """From a shell of the house: for its first people, before there are two. Logged like any other.
    Raises NothingToChange.
    """
    row = _asked(account, kind=kind, role=role, by=None, at=at)
    _put_in_force(row, by=None, at=at)
    return row


@transaction.atomic
def provide(account: User, *, kind: str, source: str, at: datetime, role: str = "") -> RoleChange:
    """By the identity provider `source`, whose word counts as that of two people (ADR 110). Whoever
    loses a role is signed out everywhere, and keys that could do more than is left are ended.
    Raises NothingToChange.
    """
    row = RoleChange(
        account=account, kind=kind, role=role, source=source, asked_at=at,
        status=Status.IN_FORCE, decided_at=at,
    )  # fmt: skip
    if not _changes_something(row):
        raise NothingToChange
    row.save(force_insert=True)
    _apply(row, at=at)
    if kind == Kind.TAKE:
        sessions.end_all(account.pk)
        key_issuing.revoke_beyond_rights(User.objects.get(pk=account.pk), at=at)
    return row


def _check_right(by: User) -> None:
    if not by.has_perm(RIGHT):
        raise MayNotChangeRoles


def _asked(account: User, *, kind: str, role: str, by: User | None, at: datetime) -> RoleChange:
    row = RoleChange(account=account, kind=kind, role=role, asked_by=by, asked_at=at)
    if not _changes_something(row):
        raise NothingToChange
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise NothingToChange from error
    return row


def _changes_something(row: RoleChange) -> bool:
    if row.kind in WITHOUT_ROLE:
        return not row.role and _changes_account(row)
    if row.role not in PERMISSIONS:
        return False
    holds = row.account.groups.filter(name=row.role).exists()
    return holds is (row.kind == Kind.TAKE)


def _changes_account(row: RoleChange) -> bool:
    if row.kind == Kind.SECOND_FACTOR:
        return bool(Authenticator.objects.filter(user=row.account_id).exists())
    is_active = row.kind == Kind.CLOSE
    return User.objects.filter(pk=row.account_id, is_active=is_active).exists()


def _give_up_old(account: User, *, at: datetime) -> None:
    old = RoleChange.objects.filter(
        account=account, status=Status.WAITING, asked_at__lte=at - LIFETIME
    )
    old.update(status=Status.DECLINED, decided_at=at)


def _locked(change_id: UUID, *, at: datetime) -> RoleChange:
    row = waiting(at=at).select_for_update(of=("self",)).filter(pk=change_id).first()
    if row is None:
        raise ChangeNotFound
    return row


def _put_in_force(row: RoleChange, *, by: User | None, at: datetime) -> None:
    if not _changes_something(row):
        raise NothingToChange
    row.decide(Status.IN_FORCE, by=by, at=at)
    _apply(row, at=at)


def _apply(row: RoleChange, *, at: datetime) -> None:
    if row.kind in WITHOUT_ROLE:
        _apply_to_account(row, at=at)
    else:
        _apply_role(row)
    _log(row, at=at)
    _tell(row)


def _apply_to_account(row: RoleChange, *, at: datetime) -> None:
    if row.kind == Kind.SECOND_FACTOR:
        Authenticator.objects.filter(user=row.account_id).delete()
    else:
        User.objects.filter(pk=row.account_id).update(is_active=row.kind == Kind.OPEN)
    shut_out(row.account_id, at=at)


def shut_out(account_id: int, *, at: datetime) -> None:
    """End its keys and its sessions everywhere: neither comes back when it is opened again."""
    key_issuing.revoke_all(account_id, at=at)
    sessions.end_all(account_id)


def _apply_role(row: RoleChange) -> None:
    group, account = Group.objects.get(name=row.role), row.account
    if row.kind == Kind.GIVE:
        account.groups.add(group)
    else:
        account.groups.remove(group)
    account.is_staff = account.groups.filter(name="operators").exists()
    account.save(update_fields=["is_staff"])


def _log(row: RoleChange, *, at: datetime) -> None:
    """Who stands in commitments alone: the public log says that two people did it, or a provider,
    not who.
    """
    people = {"account": row.account_id, "asked_by": row.asked_by_id, "by": row.decided_by_id}
    told = {
        name: transparency_log.commitment(bytes(row.salt), f"account {pk}")
        for name, pk in people.items()
        if pk
    }
    body = {"change": row.kind, "role": row.role, "commitments": told}
    log_kind = ROLE_PROVIDED if row.source else ROLE_CHANGED
    transparency_log.append(kind=log_kind, subject=row.id, body=body, at=at)


def _tell(row: RoleChange) -> None:
    events.mail("config.tasks.mail_role_change", str(row.id))
