"""Users as SCIM shows and writes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils import timezone
from django_scim import constants
from django_scim.adapters import SCIMUser
from django_scim.exceptions import IntegrityError

from config.accounts.single_sign_on import addresses
from config.accounts.single_sign_on.models import ProvisionedUser
from config.accounts.single_sign_on.scim import scim_accounts, scim_words
from config.accounts.single_sign_on.scim.scim_accounts import AlreadyThere, Wanted

_FIELDS = {
    "username": "user_name",
    "externalid": "external_id",
    "displayname": "display_name",
    "emails": "email",
    "emails.value": "email",
    "active": "is_active",
}


class ProvisionedUserView(SCIMUser):  # type: ignore[misc] # django-scim2 has no types
    """One user."""

    id_field = "id"
    obj: ProvisionedUser

    def to_dict(self) -> dict[str, Any]:
        row = self.obj
        shown = {
            "schemas": [constants.SchemaURI.USER],
            "id": str(row.pk),
            "externalId": row.scim_external_id,
            "userName": row.user_name,
            "displayName": row.display_name,
            "emails": [{"value": row.email}] if row.email else None,
            "active": row.account.is_active,
            "groups": self.groups or None,
            "meta": {
                "resourceType": "User",
                "created": row.made_at.isoformat(),
                "lastModified": row.changed_at.isoformat(),
                "location": self.location,
            },
        }
        return {name: value for name, value in shown.items() if value not in (None, "")}

    @property
    def display_name(self) -> str:
        return self.obj.display_name or self.obj.user_name

    def validate_dict(self, d: Any) -> None:
        """`from_dict` reads each member with its type."""

    def from_dict(self, d: dict[str, Any]) -> None:
        is_active = self.obj.account_id is None or self.obj.account.is_active
        self._wanted = Wanted(user_name="", is_active=is_active)
        for name, value in d.items():
            if value is not None:  # which is as if it were left out
                self._want(name, value)
        if not self._wanted.user_name:
            raise scim_words.wrong('"userName" is required.')

    def save(self) -> None:
        """Raises django-scim2's IntegrityError."""
        try:
            if self.obj.account_id is None:
                self.obj = scim_accounts.make(self._wanted, at=timezone.now())
            else:
                self.obj = scim_accounts.change(self.obj, self._wanted, at=timezone.now())
        except AlreadyThere as error:
            raise IntegrityError(str(error), scim_type="uniqueness") from error

    def delete(self) -> None:
        scim_accounts.remove(self.obj, at=timezone.now())

    def handle_operations(self, operations: Any) -> None:
        row = self.obj
        self._wanted = Wanted(
            user_name=row.user_name,
            external_id=row.scim_external_id,
            display_name=row.display_name,
            email=row.email,
            is_active=row.account.is_active,
        )
        for verb, path, value in scim_words.changes(operations):
            self._want(path, None if verb == "remove" else value)
        if not self._wanted.user_name:
            raise scim_words.wrong('"userName" is required.', "mutability")
        self.save()

    def _want(self, path: str, value: Any) -> None:
        name = _FIELDS.get(scim_words.plain(path))
        if name is None:
            return
        if name == "is_active":
            if value is None:
                raise scim_words.wrong('"active" is true or false, never taken away.', "mutability")
            kept: Any = scim_words.flag(value, "active")
        elif name == "email":
            told = scim_words.address(value)
            kept = addresses.clean(told)
            if told and not kept:
                raise scim_words.wrong("Invalid email value.")
        else:
            kept = scim_words.text(value, path)
        self._wanted = replace(self._wanted, **{name: kept})
