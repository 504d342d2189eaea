"""What every page has: named errors; and those for signed-in people no caching."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from config.core.api import problem_documents
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


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for anybody: a domain error becomes the error page, or a problem document where
    programs read."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ProofsheetError as error:
            if not problem_documents.is_for_programs(request.path_info):
                return problem(request, error)
            told, kind = problem_documents.of_error(error), problem_documents.CONTENT_TYPE
            return JsonResponse(told, status=error.status, content_type=kind)

    return wrapped


def problem(request: HttpRequest, error: ProofsheetError) -> HttpResponse:
    """The page that says what was wrong and what to do."""
    return render(request, "error.html", {"error": error}, status=error.status)
