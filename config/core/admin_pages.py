"""What the admin pages of every room have in common."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.contrib.admin import AllValuesFieldListFilter
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

ROWS_COUNTED = 10_000
NEWEST = 2_000
SEARCHED = 1_000


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

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Also what leads to rows that this person may not look at: Django would link to them."""
        pages = self.admin_site._registry
        closed = [
            field.name
            for field in self.opts.fields
            if (page := pages.get(field.related_model)) and not page.has_view_permission(request)
        ]
        return [*(super().get_exclude(request, obj) or ()), *closed]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BoundedPaginator(Paginator):  # type: ignore[type-arg] # generic in its stubs alone
    """Counts no further than anybody turns pages: to count all of a large table is to read it."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:ROWS_COUNTED].count())


class RecentValues(AllValuesFieldListFilter):
    """Offers the values of the newest rows: those of all of them are found by reading them all."""

    def __init__(
        self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        name, rows = field.name, model._default_manager
        newest = rows.order_by(*model_admin.ordering).values_list(name, flat=True)[:NEWEST]
        offered: Any = sorted({value for value in newest if value not in ("", None)})
        self.lookup_choices = offered


class LargeTableAdmin(ReadOnlyAdmin):
    """A table that grows with every image: counted up to a bound, and searched by whole values in
    columns that have an index. `search_within` narrows the search by a column that has none."""

    paginator = BoundedPaginator
    show_full_result_count = False
    search_within: ClassVar[dict[str, Q]] = {}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Column by column, each by its own index; no page asks for more than is counted."""
        wanted = search_term.strip()
        if not wanted:
            return queryset, False
        found = {key for column in self.search_fields for key in self._keys(column, wanted)}
        return queryset.filter(pk__in=found), False

    def _keys(self, column: str, wanted: str) -> list[Any]:
        """Of the newest rows that have it; what is named in another table is looked up there."""
        own, _, related = column.partition("__")
        try:
            asked: dict[str, Any] = {column: wanted}
            if related:
                other: Any = self.model._meta.get_field(own).related_model
                keys = other._default_manager.filter(**{related: wanted})
                asked = {f"{own}__in": list(keys.values_list("pk", flat=True)[:SEARCHED])}
            rows = self.model._default_manager.filter(
                self.search_within.get(column, Q()), **asked
            ).order_by(*self.ordering)
            return list(rows.values_list("pk", flat=True)[:SEARCHED])
        except (ValidationError, ValueError):
            return []  # no such value can be in that column
