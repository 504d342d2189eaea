"""How an error is written where programs read: in the words of the clients of each address.

A problem document is what every error is first. Under `/v1/` it becomes OpenAI's envelope, under
`/sdapi/` A1111's, under `/scim/` SCIM's (RFC 7644, 3.12). SDKs show `error.message` alone, so all
that a person must read stands there. Theirs name the request's id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from config.core.api.problem_documents import CONTENT_TYPE
from config.core.watching import request_ids

JSON = "application/json"
OPENAI_PREFIX, A1111_PREFIX, SCIM_PREFIX = "/v1/", "/sdapi/", "/scim/"
SCIM = "application/scim+json"
SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
# What OpenAI's clients know by another code.
OPENAI_CODES = {
    "not_authenticated": "invalid_api_key",
    "key_not_good": "invalid_api_key",
    "model_not_registered": "model_not_found",
    "quota_used_up": "insufficient_quota",
    "project_quota_used_up": "insufficient_quota",
    "end_user_quota_used_up": "insufficient_quota",
    "throttled": "rate_limit_exceeded",
    "too_busy": "rate_limit_exceeded",
    "too_many_in_flight": "rate_limit_exceeded",
    "project_too_many_in_flight": "rate_limit_exceeded",
    "end_user_too_many_in_flight": "rate_limit_exceeded",
    "too_many_at_once": "rate_limit_exceeded",
    "turn_not_reached": "rate_limit_exceeded",
    "too_many_uploads": "rate_limit_exceeded",
    "invalid": "invalid_value",
    "size_not_offered": "invalid_value",
    "method_not_allowed": "method_not_supported",
}
OPENAI_PARAMS = {
    "size_not_offered": "size",
    "model_not_registered": "model",
    "prompt_empty": "prompt",
    "prompt_too_long": "prompt",
    "steps_out_of_range": "steps",
    "guidance_out_of_range": "guidance",
    "guidance_rescale_out_of_range": "guidance_rescale",
    "guidance_not_rescaled": "guidance_rescale",
    "seed_out_of_range": "seed",
    "strength_out_of_range": "strength",
    "strength_too_low": "strength",
    "adapter_not_usable": "adapters",
    "too_many_adapters": "adapters",
    "adapter_twice": "adapters",
    "adapter_weight_out_of_range": "adapters",
    "tier_unknown": "tier",
    "source_too_large": "image",
    "several_pictures_not_supported": "image",
    "mask_unreadable": "mask",
    "mask_size_differs": "mask",
    "mask_empty": "mask",
    "mask_full": "mask",
    "mask_without_alpha": "mask",
}
# Its SDKs send 409 and 429 again by themselves: 409 never is worth it here, and 422 is unknown.
OPENAI_STATUSES = {409: 400, 410: 400, 422: 400}
# An address or a thing that is not there is told by its own status.
OPENAI_STATUS_OF = {"model_not_found": 404}
OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
OF_A_DOCUMENT = frozenset({"type", "title", "status", "code", "detail", "errors"})


@dataclass(frozen=True, slots=True)
class ToldError:
    """An answer that tells an error: its body is JSON."""

    status: int
    body: dict[str, Any]
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


def told(path: str, problem: dict[str, Any]) -> ToldError:
    """A problem document in the words of the address that it is answered at."""
    named = {"request_id": request_id} if (request_id := request_ids.current()) else {}
    if path.startswith(OPENAI_PREFIX):
        return _as_openai(problem | named)
    if path.startswith(A1111_PREFIX):
        return _as_a1111(problem | named)
    if path.startswith(SCIM_PREFIX):
        return _as_scim(problem)
    return ToldError(problem["status"], problem, CONTENT_TYPE)


def content_type_at(path: str) -> str:
    """Of an error at that path."""
    if path.startswith(SCIM_PREFIX):
        return SCIM
    return JSON if path.startswith((OPENAI_PREFIX, A1111_PREFIX)) else CONTENT_TYPE


def _as_openai(problem: dict[str, Any]) -> ToldError:
    code = OPENAI_CODES.get(problem["code"], problem["code"])
    status = OPENAI_STATUSES.get(problem["status"], problem["status"])
    status = OPENAI_STATUS_OF.get(code, status)
    if status == 415 and code != "unsupported_media_type":
        status = 400  # of a picture in the body, not of the body
    name, sentence = _first_error(problem)
    kind = "server_error" if status >= 500 else OPENAI_TYPES.get(status, "invalid_request_error")
    error = {
        "message": sentence,
        "type": "insufficient_quota" if code == "insufficient_quota" else kind,
        "param": name or OPENAI_PARAMS.get(problem["code"]),
        "code": code,
    }
    if code != problem["code"]:
        error["reason"] = problem["code"]
    error |= {name: said for name, said in problem.items() if name not in OF_A_DOCUMENT}
    if problem["code"].startswith("moderation_"):
        error["type"] = "image_generation_user_error"
    # Sending it again helps nobody before the day is over.
    headers = {"x-should-retry": "false"} if code == "insufficient_quota" else {}
    return ToldError(status, {"error": error}, JSON, headers)


def _as_a1111(problem: dict[str, Any]) -> ToldError:
    _, sentence = _first_error(problem)
    body = {"error": problem["code"], "detail": sentence, "body": "", "errors": sentence}
    more = {name: said for name, said in problem.items() if name not in OF_A_DOCUMENT}
    return ToldError(problem["status"], body | more, JSON)


def _as_scim(problem: dict[str, Any]) -> ToldError:
    _, sentence = _first_error(problem)
    status = str(problem["status"])
    body = {"schemas": [SCIM_ERROR], "status": status, "detail": sentence}
    return ToldError(problem["status"], body, SCIM)


def _first_error(problem: dict[str, Any]) -> tuple[str | None, str]:
    """The member that is wrong first, if it is one, and what a person is told."""
    for name, said in problem.get("errors", {}).items():
        words = _words(said)
        if name in ("non_field_errors", "body"):
            return None, words
        return str(name), f"{name}: {words}"
    return None, f"{problem['title']} {problem.get('detail', '')}".strip()


def _words(said: Any) -> str:
    """The first sentence of however nested a serializer's errors are."""
    while isinstance(said, dict | list) and said:
        said = next(iter(said.values())) if isinstance(said, dict) else said[0]
    return str(said) if said else "It is not valid."
