"""RFC 9457 problem details for every error of the API, whoever raised it.

`problem_response` tells what a view raised; `LastWord` everything else: an address that does not
exist, a method, a crash, whatever middleware refused.
"""

import json
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import loader
from django.utils.deprecation import MiddlewareMixin
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from config.core.api import error_dialects, problem_documents
from config.core.api.problem_documents import is_for_programs
from config.core.errors import ProofsheetError

# What Django refuses to read: status, code and title.
UNREAD: dict[type[SuspiciousOperation], tuple[int, str, str]] = {
    RequestDataTooBig: (413, "too_large", "The request's body is too large."),
    TooManyFieldsSent: (400, "too_many_fields", "The request has too many fields."),
    TooManyFilesSent: (400, "too_many_files", "The request has too many files."),
}
NAMES = {Http404: "not_found", PermissionDenied: "permission_denied"}


class NulCharacter(ProofsheetError):
    """No path or query here has one, and PostgreSQL refuses it."""

    default_code = "nul_character"
    default_message = "The address holds a NUL character (%00), which nothing here is called."
    default_advice = "Leave it out."
    default_status = 400


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: our own errors by their code, DRF's by theirs, others crash."""
    path = context["request"].path_info if context.get("request") else ""
    if isinstance(error, ProofsheetError):
        body = _response(path, problem_documents.of_error(error))
        if (seconds := getattr(error, "retry_after_s", None)) is not None:
            body["Retry-After"] = str(seconds)
        return body
    if isinstance(error, SuspiciousOperation) and (unread := UNREAD.get(type(error))):
        status, code, title = unread
        return _problem(path, status=status, code=code, title=title)
    answer = exception_handler(error, context)
    if answer is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        body = _problem(
            path,
            status=answer.status_code,
            code="invalid",
            title="The request is not valid.",
            detail="`errors` says by name what is wrong.",
            errors=answer.data if isinstance(answer.data, dict) else {"body": answer.data},
        )
    else:
        detail = getattr(error, "detail", error)
        code = str(getattr(detail, "code", None) or NAMES.get(type(error), "error"))
        body = _problem(
            path, status=answer.status_code, code=code, title=str(detail),
            detail=problem_documents.advice_of(code),
        )  # fmt: skip
    for header in ("WWW-Authenticate", "Retry-After", "Allow"):
        if header in answer:
            body[header] = answer[header]
    return body


def _problem(path: str, **said: Any) -> Response:
    return _response(path, problem_documents.document(**said))


def _response(path: str, problem: dict[str, Any]) -> Response:
    said = error_dialects.told(path, problem)
    return Response(said.body, said.status, headers=said.headers, content_type=said.content_type)


def error_response(path: str, problem: dict[str, Any]) -> HttpResponse:
    """A problem in the words of its address, for who answers without DRF."""
    said = error_dialects.told(path, problem)
    return HttpResponse(
        json.dumps(said.body),
        status=said.status,
        content_type=said.content_type,
        headers=said.headers,
    )


class LastWord(MiddlewareMixin):
    """The first middleware, so that it sees what all others answered.

    Refuses a NUL in an address, which no database takes, before anybody looks one up.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if "\0" not in request.path_info and "%00" not in request.META.get("QUERY_STRING", ""):
            return None
        error = NulCharacter()
        if not is_for_programs(request.path_info):
            return HttpResponse(
                loader.get_template("error.html").render({"error": error}), status=error.status
            )
        return error_response(request.path_info, problem_documents.of_error(error))

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Whatever is no problem yet, where programs read, becomes one; headers stay. What leads
        elsewhere without a word is no HTML.
        """
        if not is_for_programs(request.path_info):
            return response
        if response.status_code < 400:
            if response.status_code >= 300 and not getattr(response, "content", b""):
                del response["Content-Type"]
            return response
        if not isinstance(response, HttpResponse):
            return response
        path = request.path_info
        if response.get("Content-Type", "").startswith(error_dialects.content_type_at(path)):
            return response
        said = error_dialects.told(path, problem_documents.of_status(response.status_code))
        response.status_code = said.status
        response.content = json.dumps(said.body).encode()
        response["Content-Type"] = said.content_type
        response["Content-Length"] = str(len(response.content))
        return response
