"""Problem details for HTTP APIs (RFC 9457), as every address that programs read answers an error.

Pure: pages, the API, and what refuses a body before Django all write the same document.
"""

from __future__ import annotations

from typing import Any

from config.core.errors import ProofsheetError

CONTENT_TYPE = "application/problem+json"
# Below these no error is ever a page.
PREFIXES = ("/api/", "/sbr/", "/log/", "/mcp", "/v1/", "/sdapi/", "/scim/")
# What is told where nothing that raised the error said more: code, title, detail.
BY_STATUS = {
    400: ("bad_request", "The request could not be read.", "Look at its address and headers."),
    401: ("not_authenticated", "Nobody is signed in.", "Send a key, or sign in."),
    403: ("permission_denied", "This account may not do that.", ""),
    404: ("not_found", "There is nothing at this address.", "Addresses stand in /api/docs/."),
    405: ("method_not_allowed", "This address does not take that method.", "See `Allow`."),
    406: ("not_acceptable", "It is not there in a form that `Accept` names.", "Send `*/*`."),
    413: ("too_large", "The request's body is too large.", "Send a smaller one."),
    414: ("address_too_long", "The request's address is too long.", "Send a shorter one."),
    415: (
        "unsupported_media_type",
        "A body of that kind is not taken here.",
        "Send JSON, or where a file is sent a form (multipart/form-data).",
    ),
    429: ("throttled", "Too many requests came in a short time.", "Wait `Retry-After` seconds."),
    500: (
        "server_error",
        "Something went wrong here; it was not the request.",
        "Try again; if it happens again, tell the operator.",
    ),
    503: (
        "unavailable",
        "Proofsheet cannot reach a part of itself for a moment.",
        "Nothing is lost. Try again in some seconds; if it lasts, tell the operator.",
    ),
}
# Beside what DRF says itself; another code of the same status is told by who raised it.
ADVICE = {code: detail for code, _, detail in BY_STATUS.values()} | {
    "parse_error": "Send what `Content-Type` names, whole; JSON in UTF-8 without a byte order mark."
}
UNKNOWN = ("error", "The request failed.", "")


def is_for_programs(path: str) -> bool:
    """Whether errors at that path, or at the folder that it names, are JSON rather than a page."""
    return f"{path}/".startswith(PREFIXES)


def document(
    *, status: int, code: str, title: str, detail: str = "", **members: Any
) -> dict[str, Any]:
    """`title` says what happened, `detail` what to do; `code` is stable."""
    said = {"type": f"/problems/{code}", "title": title, "status": status, "code": code}
    return said | members | ({"detail": detail} if detail else {})


def advice_of(code: str) -> str:
    """What to do about a condition that framework code names; empty where nothing is known."""
    return ADVICE.get(code, "")


def of_error(error: ProofsheetError) -> dict[str, Any]:
    """The problem document (RFC 9457) of a named condition, with whatever more it has to tell."""
    return document(
        status=error.status,
        code=error.code,
        title=error.message,
        detail=error.advice,
        **error.members,
    )


def of_status(status: int) -> dict[str, Any]:
    """The problem document of a bare HTTP status."""
    code, title, detail = BY_STATUS.get(status, UNKNOWN)
    return document(status=status, code=code, title=title, detail=detail)
