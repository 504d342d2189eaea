"""What every page for signed-in people has: named errors, no caching, their own private bytes."""

from __future__ import annotations

from functools import wraps
from typing import Any, Protocol

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from config.core.errors import ProofsheetError


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User
    htmx: Any


class Page(Protocol):
    """A view for signed-in people."""

    def __call__(self, request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


def page(view: Page) -> Any:
    """A page for signed-in people: a domain error becomes the error page; caches keep nothing,
    unless the view says otherwise."""

    @wraps(view)
    def wrapped(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, *args, **kwargs)
        except ProofsheetError as error:
            response = problem(request, error)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response

    return login_required(wrapped)


def problem(request: HttpRequest, error: ProofsheetError) -> HttpResponse:
    """The page that says what was wrong and what to do."""
    return render(request, "error.html", {"error": error}, status=error.status)
