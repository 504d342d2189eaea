"""Sends a call to a house, repeats it where that does nothing twice, raises what went wrong."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx

from proofsheet.errors import HouseError, Unavailable, of_problem

TRIES = 4
PATIENCE_S = 60.0  # a longer Retry-After is for the caller to wait
LOST = {502, 504}  # a proxy's word: the house may have done it


def send(
    http: httpx.Client, method: str, path: str, *, is_repeatable: bool, **said: Any
) -> httpx.Response:
    """The answer, of a status below 400. Raises HouseError.

    `is_repeatable`: sent twice it is done once, so it is sent again when the answer is lost.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return _once(http, method, path, **said)
        except HouseError as error:
            wait_s = _pause_s(error, attempt, is_repeatable=is_repeatable)
            if wait_s is None or attempt == TRIES:
                raise
            time.sleep(wait_s)
    raise AssertionError("the last try returns or raises")


def _once(http: httpx.Client, method: str, path: str, **said: Any) -> httpx.Response:
    try:
        answer = http.request(method, path, **said)
    except httpx.ConnectError as error:
        advice = f"Is {http.base_url} its address?"
        raise Unavailable("The house does not answer.", "not_connected", advice) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"No answer came: {error!r}.", "answer_lost") from error
    if answer.status_code < 400:
        return answer
    after = str(answer.headers.get("Retry-After", ""))
    retry_after_s = float(after) if after.isdecimal() else None
    raise of_problem(answer.status_code, _json(answer), retry_after_s=retry_after_s)


def _pause_s(error: HouseError, attempt: int, *, is_repeatable: bool) -> float | None:
    """How long to wait before the next try; None for none."""
    usual_s: float = min(8.0, 0.5 * 2 ** (attempt - 1)) * random.uniform(0.75, 1.0)
    if error.retry_after_s is not None:
        is_soon = error.status in {429, 503} and error.retry_after_s <= PATIENCE_S
        return max(error.retry_after_s, 0.05) if is_soon else None
    is_lost = error.code == "answer_lost" or error.status in LOST
    return usual_s if error.code == "not_connected" or (is_lost and is_repeatable) else None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
