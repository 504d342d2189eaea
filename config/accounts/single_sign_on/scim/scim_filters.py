"""SCIM: `filter=` over what the house keeps. django-scim2 finds these by its settings, while it is
itself being imported.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from config.accounts.single_sign_on.models import ProvisionedGroup, ProvisionedUser
from config.accounts.single_sign_on.scim import scim_words
from config.core.pages import uuid_of


def user_model() -> type[ProvisionedUser]:
    """What django-scim2 takes for users."""
    return ProvisionedUser


class UserFilters:
    """`filter=` on users."""

    attr_map: dict[Any, str] = {}  # noqa: RUF012 - django-scim2 reads it from the class

    @classmethod
    def search(cls, query: str, request: HttpRequest | None = None) -> QuerySet[ProvisionedUser]:
        asked = Q()
        for path, value in scim_words.clauses(query):
            asked &= _asked_of_user(path, value)
        return cls.everything().filter(asked)

    @staticmethod
    def everything() -> QuerySet[ProvisionedUser]:
        rows = ProvisionedUser.objects.filter(deleted_at=None)
        return rows.select_related("account").order_by("id")


def _asked_of_user(path: str, value: str) -> Q:
    if path == "active":
        return Q(account__is_active=value.lower() == "true")
    if path == "id":
        return Q(pk=uuid_of(value))
    names = {
        "username": "user_name__iexact",
        "externalid": "scim_external_id",
        "displayname": "display_name",
        "emails": "email__iexact",
        "emails.value": "email__iexact",
    }
    if path not in names:
        raise scim_words.wrong(f"Users are not filtered by {path[:40]!r}.", "invalidFilter")
    return Q(**{names[path]: value})


class GroupFilters:
    """`filter=` on groups."""

    attr_map: dict[Any, str] = {}  # noqa: RUF012 - django-scim2 reads it from the class

    @classmethod
    def search(cls, query: str, request: HttpRequest | None = None) -> QuerySet[ProvisionedGroup]:
        asked = Q()
        for path, value in scim_words.clauses(query):
            asked &= _asked_of_group(path, value)
        return cls.everything().filter(asked)

    @staticmethod
    def everything() -> QuerySet[ProvisionedGroup]:
        return ProvisionedGroup.objects.order_by("id")


def _asked_of_group(path: str, value: str) -> Q:
    if path in {"id", "members", "members.value"}:
        return Q(**{"pk" if path == "id" else "members": uuid_of(value)})
    names = {"displayname": "display_name", "externalid": "scim_external_id"}
    if path not in names:
        raise scim_words.wrong(f"Groups are not filtered by {path[:40]!r}.", "invalidFilter")
    return Q(**{names[path]: value})
