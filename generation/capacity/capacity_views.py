"""The capacity page, for operators."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.core.pages import SignedIn, page
from generation.capacity import current_load as house


def may_operate(user: User) -> bool:
    """Staff of the admin and the group of operators may look at the capacity page."""
    return user.is_staff or user.groups.filter(name="operators").exists()


@require_GET
@page
def capacity(request: SignedIn) -> HttpResponse:
    """Staff and operators see workers, the line, waits and costs; anybody else gets a 403."""
    if not may_operate(request.user):
        raise PermissionDenied
    return render(request, "generation/capacity.html", {"house": house.look(at=timezone.now())})
