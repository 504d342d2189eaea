"""Who reviewers are, and what only they may open."""

from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from config.core.api.view import person
from config.core.errors import ProofsheetError
from config.core.pages import Page, SignedIn, page


class NotAReviewer(ProofsheetError):
    """The review desk is for people with the role."""

    default_code = "not_a_reviewer"
    default_message = "The review desk is for moderators."
    default_advice = "If you should work here, ask the operator for the role."
    default_status = 403


def for_reviewers(view: Page) -> Any:
    """A page that only reviewers may open; others are told so. Single cases look as if absent."""

    @wraps(view)
    def wrapped(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_reviewer(request.user):
            raise NotAReviewer
        return view(request, *args, **kwargs)

    return page(wrapped)


def reviewer(request: Request) -> User:
    """Who calls the API; raises NotAReviewer."""
    user = person(request)
    if not is_reviewer(user):
        raise NotAReviewer
    return user


def is_reviewer(user: User) -> bool:
    """Whether the account may work at the review desk; senior moderators may too."""
    return user.has_perm("moderation.review_cases") or user.has_perm("moderation.hear_appeals")


def is_blind(request: HttpRequest) -> bool:
    """Whether the reviewer chose not to see how an owner fared before."""
    return bool(request.session.get("is_blind"))
