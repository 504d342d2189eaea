"""Groups as SCIM shows and writes them. What a group gives stands in the file alone."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django_scim import constants
from django_scim.adapters import SCIMGroup
from django_scim.exceptions import IntegrityError

from config.accounts.single_sign_on.models import ProvisionedGroup, ProvisionedUser
from config.accounts.single_sign_on.scim import scim_accounts, scim_words
from config.accounts.single_sign_on.scim.scim_users import ProvisionedUserView
from config.core.pages import uuid_of


class ProvisionedGroupView(SCIMGroup):  # type: ignore[misc] # django-scim2 has no types
    """One group."""

    id_field = "id"
    obj: ProvisionedGroup
    _members: set[Any] | None = None

    @property
    def display_name(self) -> str:
        return self.obj.display_name

    def to_dict(self) -> dict[str, Any]:
        people = [ProvisionedUserView(one, self.request) for one in self.obj.members.all()]
        members = [
            {
                "value": one.id,
                "$ref": one.location,
                "type": "User",
                "display": one.display_name,
            }
            for one in people
        ]
        shown = {
            "schemas": [constants.SchemaURI.GROUP],
            "id": str(self.obj.pk),
            "externalId": self.obj.scim_external_id,
            "displayName": self.display_name,
            "members": members or None,
            "meta": {
                "resourceType": "Group",
                "created": self.obj.made_at.isoformat(),
                "lastModified": self.obj.changed_at.isoformat(),
                "location": self.location,
            },
        }
        return {name: value for name, value in shown.items() if value not in (None, "")}

    def validate_dict(self, d: Any) -> None:
        """`from_dict` reads each member with its type."""

    def from_dict(self, d: dict[str, Any]) -> None:
        self.obj.display_name, self.obj.scim_external_id = "", ""
        self._members = set()
        for name, value in d.items():
            self._want("replace", name, value)

    def handle_operations(self, operations: Any) -> None:
        for verb, path, value in scim_words.changes(operations):
            self._want(verb, path, value)
        self.save()

    @transaction.atomic
    def save(self) -> None:
        """With the roles of whoever came or went, in one transaction."""
        group = self.obj
        if not group.display_name:
            raise scim_words.wrong('"displayName" is required.')
        namesakes = ProvisionedGroup.objects.exclude(pk=group.pk)
        if namesakes.filter(display_name=group.display_name).exists():
            raise IntegrityError("Another group has that name.", scim_type="uniqueness")
        before = set() if group._state.adding else set(scim_accounts.members_of(group))
        group.save()
        if self._members is not None:
            group.members.set(self._members)
        changed = before | set(scim_accounts.members_of(group))
        scim_accounts.settle(sorted(changed, key=lambda row: row.pk), at=timezone.now())

    @transaction.atomic
    def delete(self) -> None:
        before = scim_accounts.members_of(self.obj)
        self.obj.delete()
        scim_accounts.settle(before, at=timezone.now())

    def _want(self, verb: str, path: str, value: Any) -> None:
        name = scim_words.plain(path)
        if name == "displayname":
            self.obj.display_name = scim_words.text(None if verb == "remove" else value, path)
        elif name == "externalid":
            self.obj.scim_external_id = scim_words.text(None if verb == "remove" else value, path)
        elif name == "members":
            self._want_members(verb, path, value)

    def _want_members(self, verb: str, path: str, value: Any) -> None:
        now = self._members
        if now is None:
            now = {row.pk for row in scim_accounts.members_of(self.obj)}
        if named := scim_words.member_named_in(path):
            value = [{"value": named}]
        if verb == "remove":
            gone = set(map(uuid_of, scim_words.member_ids(value))) if value is not None else now
            self._members = now - gone
        else:
            come = _known(scim_words.member_ids([] if value is None else value))
            self._members = now | come if verb == "add" else come


def _known(ids: list[str]) -> set[Any]:
    wanted = {pk for one in ids if (pk := uuid_of(one)) is not None}
    rows = ProvisionedUser.objects.filter(pk__in=wanted, deleted_at=None)
    found = set(rows.values_list("pk", flat=True))
    if found != wanted or len(wanted) != len(set(ids)):
        raise scim_words.wrong("A member is none of the users here.")
    return found
