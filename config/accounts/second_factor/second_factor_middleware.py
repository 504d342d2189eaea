"""Nothing opens to a role of the house before its second factor is proved.

The rule is about accounts, not addresses: an account with a role that has not proved its second
factor in this session reaches the pages of signing in and of setting one up, and nothing else; and
where it has one, only those of proving it and of signing out, so that a password adds no second
one. So a new page of the desk cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from allauth.account.adapter import get_adapter
from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from config.accounts.second_factor.requirement import (
    SecondFactorNeeded,
    has_one,
    is_needed,
    is_proved,
)
from config.core.api import problem_documents
from config.core.api.problem_handler import error_response

OPEN_TO_SET_ONE_UP = "/accounts/"
OPEN_TO_PROVE_IT = {
    "/accounts/2fa/reauthenticate/",
    "/accounts/2fa/webauthn/reauthenticate/",
    "/accounts/logout/",
}
Answer = Callable[[HttpRequest], Any]


class SecondFactor:
    """The middleware. Requests without a session cookie cost nothing."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer(request)
        return _refusal(request) or self._get_response(request)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if _is_in_question(request) and (refusal := await sync_to_async(_refusal)(request)):
            return refusal
        return await self._get_response(request)  # type: ignore[no-any-return]


def _is_in_question(request: HttpRequest) -> bool:
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    is_open = request.path_info in OPEN_TO_PROVE_IT
    return settings.PROOFSHEET_SECOND_FACTOR and has_session and not is_open


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if not _is_in_question(request):
        return None
    user = request.user
    if not isinstance(user, User) or is_proved(request) or not is_needed(user):
        return None
    if request.path_info.startswith(OPEN_TO_SET_ONE_UP) and not has_one(user):
        return None
    if problem_documents.is_for_programs(request.path_info):
        return _problem(request.path_info)
    return _redirect(request, user)


def _redirect(request: HttpRequest, user: User) -> HttpResponse:
    if has_one(user):
        words = {"next": request.get_full_path()} if request.method == "GET" else {}
        [way, *_] = get_adapter(request).get_reauthentication_methods(user)
        address = f"{way['url']}?{urlencode(words)}"
    else:
        address = f"{reverse('mfa_index')}?needed=1"
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def _problem(path: str) -> HttpResponse:
    return error_response(path, problem_documents.of_error(SecondFactorNeeded()))
