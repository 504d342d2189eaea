"""Models and adapters in the admin: operators look, and switch models on and off."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from adapters.models import Adapter, BaseModel
from config.core.admin_pages import NamedLookups, ReadOnlyAdmin
from config.core.projects.admin_filter import OfProject


@admin.register(BaseModel)
class BaseModelAdmin(NamedLookups, ModelAdmin):  # type: ignore[misc] # unfold has no types
    """What follows from the model's files is read-only: register_model writes it."""

    list_display = ("name", "slug", "family", "tier", "rank_ceiling", "memory_mib", "is_active")
    list_filter = ("family", "tier", "is_active")
    search_fields = ("name", "slug")
    readonly_fields = (
        "slug", "family", "folder", "hub_id", "hub_revision", "digest", "native_size", "upscale",
        "sizes", "is_default", "created_at",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Adapter)
class AdapterAdmin(ReadOnlyAdmin):
    """Read-only: state changes only through the domain functions and a moderator's decision."""

    list_display = ("name", "slug", "owner", "base_model", "rank", "state", "visibility")
    list_filter = ("state", "visibility", "base_model", OfProject)
    list_filter_submit = False  # links, which need no button
    search_fields = ("name", "slug", "sha256")
