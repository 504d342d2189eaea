"""What every page of the room has: a signed-in person, named errors, no caching."""

from __future__ import annotations

from functools import wraps
from typing import Any, Protocol

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from config.core.errors import ProofsheetError


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User
    htmx: Any


class Page(Protocol):
    def __call__(self, request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


def page(view: Page) -> Any:
    """A page for signed-in people: a domain error becomes the error page; caches keep nothing."""

    @wraps(view)
    def wrapped(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, *args, **kwargs)
        except ProofsheetError as error:
            response = render(request, "error.html", {"error": error}, status=error.status)
        add_never_cache_headers(response)
        return response

    return login_required(wrapped)
