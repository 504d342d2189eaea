"""RFC 9457 problem details for every error that the API answers."""

from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from provenance.errors import ProofsheetError

CONTENT_TYPE = "application/problem+json"
# What Django refuses to read: status, code and title.
UNREAD: dict[type[SuspiciousOperation], tuple[int, str, str]] = {
    RequestDataTooBig: (413, "too_large", "The request's body is too large."),
    TooManyFieldsSent: (400, "too_many_fields", "The request has too many fields."),
    TooManyFilesSent: (400, "too_many_files", "The request has too many files."),
}
NAMES = {Http404: "not_found", PermissionDenied: "permission_denied"}


def problem(*, status: int, code: str, title: str, detail: str = "", **members: Any) -> Response:
    body = {"type": f"/problems/{code}", "title": title, "status": status, "code": code, **members}
    if detail:
        body["detail"] = detail
    return Response(body, status=status, content_type=CONTENT_TYPE)


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: our own errors by their code, DRF's by theirs, others crash."""
    if isinstance(error, ProofsheetError):
        body = problem(
            status=error.status, code=error.code, title=error.message, detail=error.advice
        )
        if (seconds := getattr(error, "retry_after_s", None)) is not None:
            body["Retry-After"] = str(seconds)
        return body
    if isinstance(error, SuspiciousOperation) and (unread := UNREAD.get(type(error))):
        status, code, title = unread
        return problem(status=status, code=code, title=title)
    answer = exception_handler(error, context)
    if answer is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        body = problem(
            status=answer.status_code,
            code="invalid",
            title="The request is not valid.",
            errors=answer.data,
        )
    else:
        detail = getattr(error, "detail", error)
        code = str(getattr(detail, "code", None) or NAMES.get(type(error), "error"))
        body = problem(status=answer.status_code, code=code, title=str(detail))
    for header in ("WWW-Authenticate", "Retry-After", "Allow"):
        if header in answer:
            body[header] = answer[header]
    return body
