"""Where somebody lands after signing in: whose account is suspended is told so first."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from moderation import standing


class Entrance(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    def post_login(self, request: HttpRequest, user: User, **said: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **said)
        if standing.suspension_of(user.pk, at=timezone.now()):
            return redirect("moderation:standing")
        return response
