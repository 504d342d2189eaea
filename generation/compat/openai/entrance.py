"""The view that every address under `/v1/` is: a key and no cookie, errors in OpenAI's envelope,
the rate limit in every answer. One that has to wait keeps no connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from config.core import database_connections
from config.core.api import problem_documents
from config.core.api.json_bodies import StrictJSONParser
from config.core.api.problem_handler import error_response
from config.core.errors import ProofsheetError

Finish = Callable[[], Awaitable[HttpResponseBase]]


class AlwaysJson(BaseContentNegotiation):
    """Clients name `text/event-stream`, `*/*` or nothing in `Accept`, and all read JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((each for each in parsers if each.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class Unfinished(HttpResponse):
    """Stands for an answer that is still to come; `finish` waits for it."""

    def __init__(self, finish: Finish) -> None:
        super().__init__()
        self.finish = finish


def _ways_by_key() -> list[Any]:
    """Those of the settings, but for the session."""
    ways: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    return [way for way in ways if not issubclass(way, SessionAuthentication)]


class OpenAiView(APIView):
    """Behind a key. No session is looked at, so there is nothing that another site could forge."""

    authentication_classes = _ways_by_key()
    renderer_classes = [JSONRenderer]
    parser_classes: Any = [StrictJSONParser]
    content_negotiation_class = AlwaysJson
    schema: Any = None  # the contract is OpenAI's own
    counted_as = "user"
    throttled_by: Any = None

    def user(self) -> User:
        """Whose key it is."""
        user = self.request.user
        assert isinstance(user, User)
        return user

    def get_throttles(self) -> list[Any]:
        throttles = super().get_throttles()
        counting = (each for each in throttles if getattr(each, "scope", "") == self.counted_as)
        self.throttled_by = next(counting, None)
        return throttles

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.limits().items():
            answer[name] = value
        return answer

    def limits(self) -> dict[str, str]:
        """Of calls, as OpenAI's clients read them: the limit, what is left, when all is free."""
        by = self.throttled_by
        history: list[float] | None = getattr(by, "history", None)
        if by is None or history is None or not by.num_requests:
            return {}
        left = max(0, by.num_requests - len(history))
        oldest = history[-1] if history else by.now
        reset_s = max(0.0, by.duration - (by.now - oldest))
        return {
            "x-ratelimit-limit-requests": str(by.num_requests),
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": f"{round(reset_s * 1000)}ms",
        }

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Behind the key as well: who asks without one learns now that it is needed."""
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})


def opened(view: type[APIView]) -> Any:
    """The view function. Whoever only waits holds no connection: those who wait would soon have
    all of them, and what ends the waiting needs one too."""
    look = view.as_view()

    @sync_to_async
    @database_connections.given_back
    def answer_at_once(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return look(request, *args, **kwargs)

    @csrf_exempt
    async def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        said: HttpResponseBase = await answer_at_once(request, *args, **kwargs)
        if isinstance(said, Unfinished):
            limits = {name: said[name] for name in said.headers if name.startswith("x-ratelimit")}
            said = await _finished(request, said)
            for name, value in limits.items():
                said[name] = value
        return said

    answer.cls = view  # type: ignore[attr-defined] # as DRF's own: who looks for the scope
    return answer


async def _finished(request: HttpRequest, said: Unfinished) -> HttpResponseBase:
    try:
        return await said.finish()
    except ProofsheetError as error:
        return error_answer(request.path_info, error)


def error_answer(path: str, error: ProofsheetError) -> HttpResponse:
    """A named condition in the words of the address, with the headers that programs look for."""
    answer = error_response(path, problem_documents.of_error(error))
    if (seconds := getattr(error, "retry_after_s", None)) is not None:
        answer["Retry-After"] = str(seconds)
    if statement := error.members.get("statement_url"):
        answer["x-statement-url"] = statement
        answer["x-appeal-url"] = error.members["appeal_url"]
        answer["Link"] = f'<{statement}>; rel="describedby"'
    return answer
