"""Nothing opens to a role of the house before its second factor is proved.

The rule is about accounts, not addresses: an account with a role that has not proved its second
factor in this session reaches the pages of signing in and of setting one up, and nothing else. So a
new page of the desk cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from config.second_factor import SecondFactorNeeded, has_one, is_needed, is_proved
from provenance import problem_documents

OPEN = "/accounts/"
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
    return settings.PROOFSHEET_SECOND_FACTOR and has_session and not _is_open(request)


def _is_open(request: HttpRequest) -> bool:
    return request.path_info.startswith(OPEN)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if not _is_in_question(request):
        return None
    user = request.user
    if not isinstance(user, User) or is_proved(request) or not is_needed(user):
        return None
    if problem_documents.is_for_programs(request.path_info):
        return _problem()
    return _redirect(request, user)


def _redirect(request: HttpRequest, user: User) -> HttpResponse:
    if has_one(user):
        words = {"next": request.get_full_path()} if request.method == "GET" else {}
        address = f"{reverse('mfa_reauthenticate')}?{urlencode(words)}"
    else:
        address = f"{reverse('mfa_index')}?needed=1"
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def _problem() -> HttpResponse:
    said = SecondFactorNeeded()
    document = problem_documents.of_error(said)
    return JsonResponse(document, status=said.status, content_type=problem_documents.CONTENT_TYPE)
