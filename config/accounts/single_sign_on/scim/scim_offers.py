"""What SCIM's addresses say of themselves, and whom they show; django-scim2 finds these by its
settings.
"""

from __future__ import annotations

import copy
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django_scim import schemas
from django_scim.models import SCIMServiceProviderConfig

from config.accounts.single_sign_on.models import ProvisionedUser

PAGE_MAX = 200
_KEPT = {"userName", "displayName", "active", "emails", "groups", "members"}
_KEPT_OF_EMAILS = {"value"}  # one address is kept, and so the primary one
_REQUIRED = {("User", "userName"), ("User", "active"), ("Group", "displayName")}
_DISPLAY = {
    "name": "display",
    "type": "string",
    "multiValued": False,
    "description": "The member's name.",
    "required": False,
    "caseExact": False,
    "mutability": "readOnly",
    "returned": "request",
    "uniqueness": "none",
}
_SCHEMAS = {"User", "Group"}
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"


class ServiceProviderOffer(SCIMServiceProviderConfig):  # type: ignore[misc] # django-scim2 has no types
    """What works here."""

    def to_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = super().to_dict()
        said["filter"] = {"supported": True, "maxResults": PAGE_MAX}
        said["changePassword"] = {"supported": False}
        del said["documentationUri"]
        return said


def kept_schemas() -> list[dict[str, Any]]:
    """django-scim2's, less what the house does not keep."""
    found = copy.deepcopy([one for one in schemas.ALL if one["name"] in _SCHEMAS])
    for schema in found:
        schema["schemas"] = [_SCHEMA]
        schema["meta"] = {"resourceType": "Schema", "location": f"/scim/v2/Schemas/{schema['id']}"}
        schema["attributes"] = [one for one in schema["attributes"] if one["name"] in _KEPT]
        for attribute in schema["attributes"]:
            _describe(attribute, of=schema["name"])
    return found


def _describe(attribute: dict[str, Any], *, of: str) -> None:
    """Users may be without a name to show, groups not. `active` is never unassigned: what takes it
    away is refused, rather than guessed to open or to close an account."""
    attribute["required"] = (of, attribute["name"]) in _REQUIRED
    if attribute["name"] == "members":
        attribute["subAttributes"].append(_DISPLAY)
    if attribute["name"] == "emails":
        parts = attribute["subAttributes"]
        attribute["subAttributes"] = [one for one in parts if one["name"] in _KEPT_OF_EMAILS]


def only_there(model: Any) -> Any:
    """What django-scim2 narrows its lists and look-ups by."""

    def narrowed(request: HttpRequest, *args: Any, **said: Any) -> dict[str, Any]:
        return {"deleted_at": None} if model is ProvisionedUser else {}

    return narrowed


def with_accounts(model: Any) -> Any:
    """Lists ask for the accounts of all their users at once."""

    def joined(request: HttpRequest, rows: QuerySet[Any], *args: Any, **said: Any) -> QuerySet[Any]:
        return rows.select_related("account") if model is ProvisionedUser else rows

    return joined
