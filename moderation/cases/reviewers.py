"""What the pages of the room share: who may come in, and how a domain error is shown."""

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
    def __call__(self, request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


class NotAReviewer(ProofsheetError):
    """The review desk is for people with the role."""

    default_code = "not_a_reviewer"
    default_message = "The review desk is for moderators."
    default_advice = "If you should work here, ask the operator for the role."
    default_status = 403


def page(view: Page) -> Any:
    """A page for signed-in people: a domain error becomes the error page; caches keep nothing."""

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


def desk(view: Page) -> Any:
    """A page that only reviewers may open; others are told so. Single cases look as if absent."""

    @wraps(view)
    def wrapped(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_reviewer(request.user):
            raise NotAReviewer
        return view(request, *args, **kwargs)

    return page(wrapped)


def is_reviewer(user: User) -> bool:
    return user.has_perm("moderation.review_cases") or user.has_perm("moderation.hear_appeals")


def is_blind(request: HttpRequest) -> bool:
    """Whether the reviewer chose not to see how an owner fared before."""
    return bool(request.session.get("is_blind"))


def problem(request: HttpRequest, error: ProofsheetError) -> HttpResponse:
    return render(request, "error.html", {"error": error}, status=error.status)


def private_bytes(data: bytes, content_type: str) -> HttpResponse:
    """Bytes that belong to one case, which no cache may keep and which must never act as a page."""
    response = HttpResponse(data, content_type=content_type)
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
