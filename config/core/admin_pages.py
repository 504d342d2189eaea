"""What the admin pages of every room have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class NamedLookups:
    """A list is filtered by what its page offers and by nothing else.

    Django lets an address filter by any column of the model, shown or not: whoever sees the list
    could guess a prompt or an address letter by letter.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        entry: Any = self
        named = [one for one in entry.list_filter if isinstance(one, str | tuple)]
        offered = {one if isinstance(one, str) else one[0] for one in named}
        offered |= {entry.date_hierarchy, "id", "pk"}
        column = lookup.split("__")[0]
        is_offered = column in offered or any(
            isinstance(one, str) and lookup.startswith(f"{one}__") for one in offered
        )
        allowed = super().lookup_allowed(lookup, value, request)  # type: ignore[misc] # of ModelAdmin
        return is_offered and bool(allowed)


class ReadOnlyAdmin(NamedLookups, ModelAdmin):  # type: ignore[misc] # unfold has no types
    """To look at: state changes only through the domain's functions."""

    actions = None
    list_filter_submit = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
