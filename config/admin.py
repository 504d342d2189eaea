"""The operators' admin: who has an account and which role. The rooms register their own models."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister([User, Group])
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign] # as allauth documents: one way in, with its limits and second factor


@admin.register(User)
class HouseUserAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg] # unfold has no types
    """Operators open and close accounts and give roles, never to themselves or to a superuser."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")
    list_filter_sheet = False
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "email", "is_active")}),
        ("Role", {"fields": ("groups", "is_staff")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_theirs = isinstance(obj, User) and not (obj.is_superuser or obj.pk == request.user.pk)
        if obj is not None and not (is_theirs or request.user.is_superuser):
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # an account is closed, its requests, decisions and log entries stay


@admin.register(Group)
class RoleAdmin(GroupAdmin, ModelAdmin):  # type: ignore[misc] # unfold has no types
    """Roles are written down in config/roles.py and set at every start; here one looks at them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
