from typing import ClassVar

from django.contrib import admin

from config.core.admin_pages import ReadOnlyAdmin
from config.core.holds.models import LegalHold


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyAdmin):
    """Placed and ended by `manage.py hold`, which the log is told."""

    list_display = ("placed_at", "kind", "subject", "until", "ended_at")
    list_filter = ("kind",)
    ordering: ClassVar = ("-placed_at",)
