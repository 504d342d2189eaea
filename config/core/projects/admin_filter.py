"""Lists of the admin, narrowed to a project."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from config.core.projects.models import Project

OFFERED = 30


class OfProject(admin.SimpleListFilter):
    """The first projects by name, and whichever the address names as `?project=`."""

    title = "project"
    parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        shared = Project.objects.filter(personal_of=None).order_by("name", "id")
        offered = list(shared[:OFFERED])
        chosen = self._named()
        if chosen is not None and chosen not in {one.pk for one in offered}:
            offered += Project.objects.filter(pk=chosen)
        return [(str(one.pk), str(one)) for one in offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(project=self._named())

    def _named(self) -> UUID | None:
        try:
            return UUID(self.value() or "")
        except ValueError:
            return None
