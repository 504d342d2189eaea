"""What SCIM's words do to accounts: making, changing, closing, and roles by groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from django.contrib.auth.models import User
from django.db import transaction

from config.accounts.single_sign_on import provided_roles, said_by_provider
from config.accounts.single_sign_on.models import ProvisionedGroup, ProvisionedUser
from config.accounts.single_sign_on.sign_on_file import IdentityProvider
from config.accounts.single_sign_on.sign_on_told import told
from config.core.errors import ProofsheetError


class AlreadyThere(ProofsheetError):
    """Somebody has it: SCIM takes over no account that it did not make."""

    default_code = "scim_taken"
    default_message = "Another account has that name, address or external id."
    default_advice = "Look for it with a filter; an account that SCIM did not make stays apart."
    default_status = 409


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that the house keeps of a user of SCIM."""

    user_name: str
    external_id: str = ""
    display_name: str = ""
    email: str = ""
    is_active: bool = True


def provider() -> IdentityProvider:
    """Whose accounts these are."""
    provisioning = told().provisioning
    found = told().provider(provisioning.provider) if provisioning else None
    assert found is not None, "the file names one of its providers, and TokenCheck asked"
    return found


@transaction.atomic
def make(wanted: Wanted, *, at: datetime) -> ProvisionedUser:
    """One that the provider deleted before is the same again. Raises AlreadyThere."""
    row = _deleted_before(wanted) or ProvisionedUser(account=_new_account(wanted))
    row.deleted_at = None
    return change(row, wanted, at=at)


@transaction.atomic
def change(row: ProvisionedUser, wanted: Wanted, *, at: datetime) -> ProvisionedUser:
    """Make the row and its account as wanted. Raises AlreadyThere."""
    _check_free(row, wanted)
    row.user_name, row.scim_external_id = wanted.user_name, wanted.external_id
    row.display_name, row.email = wanted.display_name, wanted.email
    row.save()
    _set_address(row.account, wanted.email)
    if wanted.is_active:
        provided_roles.reopen(row.account, source=provider().id, at=at)
    else:
        provided_roles.close(row.account, source=provider().id, at=at)
    row.account.refresh_from_db()
    return row


@transaction.atomic
def remove(row: ProvisionedUser, *, at: datetime) -> None:
    """Closed, and no longer seen by SCIM: what the account did and decided stays."""
    provided_roles.close(row.account, source=provider().id, at=at)
    row.scim_groups.clear()
    settle([row], at=at)
    row.deleted_at = at
    row.save(update_fields=["deleted_at"])


def settle(rows: Iterable[ProvisionedUser], *, at: datetime) -> None:
    """The roles of these, by the groups that they are in now."""
    source = provider()
    if source.roles_from != "scim":
        return
    for row in rows:
        groups = row.scim_groups.values_list("display_name", flat=True)
        roles = said_by_provider.roles_of(groups, source.roles)
        provided_roles.settle(row.account, roles=roles, source=source.id, at=at)


def members_of(group: ProvisionedGroup) -> list[ProvisionedUser]:
    """Whom the provider counts to the group, with their accounts."""
    return list(group.members.select_related("account"))


def _deleted_before(wanted: Wanted) -> ProvisionedUser | None:
    if not wanted.external_id:
        return None
    rows = ProvisionedUser.objects.select_for_update().exclude(deleted_at=None)
    return rows.filter(scim_external_id=wanted.external_id).first()


def _new_account(wanted: Wanted) -> User:
    """Without a password; its name is made of the provider's, without what makes it an address."""
    wished = wanted.user_name.partition("@")[0]
    account = User(username=get_adapter().generate_unique_username([wished, "user"]))
    account.set_unusable_password()
    account.save()
    return account


def _check_free(row: ProvisionedUser, wanted: Wanted) -> None:
    others = ProvisionedUser.objects.exclude(pk=row.pk)
    is_named = others.filter(deleted_at=None, user_name__iexact=wanted.user_name).exists()
    by_id = others.filter(scim_external_id=wanted.external_id) if wanted.external_id else None
    people = filter_users_by_email(wanted.email) if wanted.email else []
    is_reached = any(account.pk != row.account_id for account in people)
    if is_named or is_reached or (by_id is not None and by_id.exists()):
        raise AlreadyThere


def _set_address(account: User, email: str) -> None:
    if account.email == email:
        return
    EmailAddress.objects.filter(user=account).delete()
    account.email = email
    account.save(update_fields=["email"])
    if email:
        is_sure = provider().is_email_trusted
        is_verified = is_sure and said_by_provider.is_of(email, provider().domains)
        EmailAddress.objects.create(user=account, email=email, primary=True, verified=is_verified)
