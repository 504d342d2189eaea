"""The room in the admin: look at everything, change nothing; evidence stays at the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from moderation.models import (
    Appeal,
    Decision,
    Intent,
    Policy,
    Reveal,
    ReviewCase,
    Screening,
    Statement,
)


class ReadOnly(ModelAdmin):  # type: ignore[misc] # unfold has no types
    """State changes only through the domain functions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Policy)
class PolicyAdmin(ReadOnly):
    list_display = ("version", "profile", "sha256", "first_used_at")
    list_filter = ("profile",)


@admin.register(Screening)
class ScreeningAdmin(ReadOnly):
    list_display = ("screened_at", "stage", "verdict", "policy", "classifier", "is_from_cache")
    list_filter = ("stage", "verdict", "profile")
    list_select_related = ("policy",)
    date_hierarchy = "screened_at"


@admin.register(ReviewCase)
class ReviewCaseAdmin(ReadOnly):
    list_display = ("id", "subject_kind", "category", "severity", "status", "due_at", "leased_by")
    list_filter = ("status", "subject_kind", "category", "severity")
    list_select_related = ("leased_by",)
    exclude = ("evidence", "lease_token")


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    list_display = ("decided_at", "subject_kind", "action", "reason", "is_automated", "decided_by")
    list_filter = ("action", "subject_kind", "reason", "is_automated")
    list_select_related = ("decided_by",)
    exclude = ("evidence",)
    date_hierarchy = "decided_at"


@admin.register(Intent)
class IntentAdmin(ReadOnly):
    list_display = ("decided_at", "case", "action", "reason", "decided_by", "is_severe", "due_at")
    list_select_related = ("case", "decided_by")


@admin.register(Statement)
class StatementAdmin(ReadOnly):
    list_display = ("id", "decision", "created_at")
    list_select_related = ("decision",)
    exclude = ("owner",)


@admin.register(Appeal)
class AppealAdmin(ReadOnly):
    list_display = ("id", "status", "lodged_at", "due_at", "hearer", "heard_at")
    list_filter = ("status",)
    list_select_related = ("hearer",)


@admin.register(Reveal)
class RevealAdmin(ReadOnly):
    list_display = ("revealed_at", "revealed_by", "subject_kind", "subject_id", "severity")
    list_filter = ("subject_kind", "severity")
    list_select_related = ("revealed_by",)
