"""Requests, images and workers in the admin: for operators to look at, nothing to change; and
the allowance of a user, which they may set.

Prompts and pictures are left out: running the house needs neither, and who reviews them sees them
in a case.
"""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from unfold.admin import ModelAdmin

from config.core.admin_pages import LargeTableAdmin, NamedLookups, ReadOnlyAdmin, RecentValues
from config.core.projects.admin_filter import OfProject
from generation.models import (
    Allowance,
    GeneratedImage,
    GenerationRequest,
    RequestStatus,
    Worker,
)


@admin.register(GenerationRequest)
class GenerationRequestAdmin(LargeTableAdmin):
    """Every request and how it ended, without its prompt or its lease's token."""

    list_display = (
        "id", "owner", "status", "code", "model", "steps", "attempts", "lease_worker",
        "created_at", "started_at", "ended_at",
    )  # fmt: skip
    list_filter = (
        "status", "is_held", ("code", RecentValues), "model",
        ("created_at", admin.DateFieldListFilter), OfProject,
    )  # fmt: skip
    list_select_related = ("owner", "model")
    search_fields = ("id", "owner__username", "lease_worker")
    search_within = {"lease_worker": Q(status=RequestStatus.RUNNING)}  # noqa: RUF012 - as Django's
    search_help_text = "Whole id, user name or worker"
    ordering = ("-created_at", "-id")
    exclude = ("prompt", "negative_prompt", "lease_token")


@admin.register(GeneratedImage)
class GeneratedImageAdmin(LargeTableAdmin):
    """Every image and its state, without its prompt or its picture."""

    list_display = (
        "id", "owner", "state", "code", "model_slug", "width", "height", "size_bytes",
        "created_at", "released_at",
    )  # fmt: skip
    list_filter = (
        "state", ("code", RecentValues), ("model_slug", RecentValues),
        ("created_at", admin.DateFieldListFilter), OfProject,
    )  # fmt: skip
    list_select_related = ("owner",)
    search_fields = ("id", "request__id", "owner__username")
    search_help_text = "Whole id of the image or its request, or user name"
    ordering = ("-created_at", "-id")
    exclude = ("prompt", "negative_prompt", "file")


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Workers as they last announced themselves."""

    list_display = ("name", "queues", "slots", "started_at", "seen_at")
    ordering = ("name",)


@admin.register(Allowance)
class AllowanceAdmin(NamedLookups, ModelAdmin):  # type: ignore[misc] # unfold has no types
    """What one user may use where it differs from the usual; the only rows changed by hand."""

    list_display = ("user", "images_a_day", "device_seconds_a_day", "in_flight")
    search_fields = ("user__username",)
    autocomplete_fields = ("user",)
