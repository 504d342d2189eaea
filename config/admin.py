"""The operators' admin: who has an account. The rooms register their own models."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.account.utils import filter_users_by_email
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from config.accounts import admin_search
from config.accounts.roles import role_changes
from config.accounts.sign_in import logins
from config.core.admin_pages import NamedLookups

# Addresses and second factors are their owners' alone.
admin.site.unregister([User, Group, EmailAddress, Authenticator])
# Providers stand in a file (SIGN_ON_FILE), and whom they know is no operator's to change.
admin.site.unregister([SocialApp, SocialAccount, SocialToken])
if admin.site.is_registered(EmailConfirmation):
    admin.site.unregister(EmailConfirmation)
admin.site.search = admin_search.search  # type: ignore[attr-defined] # unfold's
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign] # as allauth documents: one way in, with its limits and second factor


class NewAccountForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """Without a password: its person chooses one behind the link that is mailed."""

    class Meta:
        model = User
        fields = ("username", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        logins.refuse_address(name)
        return name

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if filter_users_by_email(email):
            raise forms.ValidationError("An account has this address already.")
        return email


@admin.register(User)
class HouseUserAdmin(NamedLookups, UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg] # unfold has no types
    """Operators open and close accounts. Passwords, addresses and second factors are their owners',
    roles are changed by two, and so are accounts that hold one (`role_changes`)."""

    form = forms.ModelForm  # no field of it is a password
    add_form = NewAccountForm
    add_form_template = None
    list_display = ("username", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")
    list_filter_sheet = False
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "email", "is_active")}),
        ("Role", {"fields": ("held", "is_staff")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email")}),)
    readonly_fields = ("username", "email", "held", "is_staff", "last_login", "date_joined")
    actions = ("mail_link",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        is_by_two = role_changes.is_changed_by_two(obj)
        return (*self.readonly_fields, "is_active") if is_by_two else self.readonly_fields

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    @admin.display(description="Roles")
    def held(self, account: User) -> str:
        names = ", ".join(account.groups.values_list("name", flat=True)) or "none"
        return format_html('{}. <a href="{}">Changed by two</a>', names, reverse("roles"))

    @admin.action(description="Mail a link to choose a new password", permissions=["change"])
    def mail_link(self, request: HttpRequest, accounts: QuerySet[User]) -> None:
        """To each account's own address; the operator never sees it."""
        others = accounts.filter(is_active=True, is_superuser=False).exclude(email="")
        for account in others:
            request_password_reset(request, account.email, [account], None)
        messages.success(request, f"Mailed to {len(others)} of those accounts.")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if not change:
            request_password_reset(request, obj.email, [obj], None)
        elif not obj.is_active:
            role_changes.shut_out(obj.pk, at=timezone.now())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_theirs = isinstance(obj, User) and not (obj.is_superuser or obj.pk == request.user.pk)
        if obj is not None and not is_theirs:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # an account is closed, its requests, decisions and log entries stay


@admin.register(Group)
class RoleAdmin(NamedLookups, GroupAdmin, ModelAdmin):  # type: ignore[misc] # unfold has no types
    """Roles are written down in `role_permissions` and set at every start; here one looks."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
