"""What every page has: named errors; and those for signed-in people no caching."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from config.core.api import problem_documents
from config.core.api.problem_handler import error_response
from config.core.errors import ProofsheetError
from config.core.projects import chosen


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User
    htmx: Any


class Page(Protocol):
    """A view for signed-in people."""

    def __call__(self, request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


def page(view: Page) -> Any:
    """A page for signed-in people, who act for the project that they chose: a domain error becomes
    the error page; caches keep nothing, unless the view says otherwise."""

    @wraps(view)
    def wrapped(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            chosen.apply(request)
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
            return error_response(request.path_info, problem_documents.of_error(error))

    return wrapped


def problem(request: HttpRequest, error: ProofsheetError) -> HttpResponse:
    """The page that says what was wrong and what to do."""
    return render(request, "error.html", {"error": error}, status=error.status)


def private_file(response: HttpResponseBase) -> HttpResponseBase:
    """Sets the headers of bytes that belong to one person and must never act as a page."""
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def private_bytes(data: bytes, content_type: str) -> HttpResponse:
    """Bytes of one person or case, which no cache may keep and which must never act as a page."""
    response = HttpResponse(data, content_type=content_type)
    private_file(response)
    response["Cache-Control"] = "private, no-store"
    return response


def uuid_of(text: str | None) -> UUID | None:
    """What an address or a form names; None for what is no UUID."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
