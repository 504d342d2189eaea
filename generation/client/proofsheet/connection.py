"""One connection to a house: sends calls, repeats what may be repeated, raises what went wrong."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx

from proofsheet.errors import HouseError, Unavailable, of_problem

TRIES = 4
PATIENCE_S = 60.0  # a longer Retry-After is for the caller to wait
LOST = {502, 504}  # a proxy's word: the house may have done it


class Connection:
    """Repeats after a `Retry-After`, and after a lost answer where that does nothing twice."""

    def __init__(
        self, base_url: str, key: str, *, timeout_s: float, transport: httpx.BaseTransport | None
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            headers=headers | {"User-Agent": "proofsheet-python/0.1"},
            timeout=httpx.Timeout(timeout_s, connect=10.0),
            transport=transport,
        )

    def close(self) -> None:
        """Let go of the sockets."""
        self._http.close()

    def send(self, method: str, path: str, *, is_repeatable: bool, **said: Any) -> httpx.Response:
        """The answer, of a status below 400. Raises HouseError.

        `is_repeatable`: sent twice it is done once, so it is sent again when the answer is lost.
        """
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(method, path, **said)
            except HouseError as error:
                wait_s = _pause_s(error, attempt, is_repeatable=is_repeatable)
                if wait_s is None or attempt == TRIES:
                    raise
                time.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, path: str, **said: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **said)
        except httpx.ConnectError as error:
            raise Unavailable(
                "The house does not answer.",
                code="not_connected",
                advice=f"Is {self._http.base_url} its address?",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"No answer came: {error!r}.", code="answer_lost") from error
        if answer.status_code < 400:
            return answer
        raise of_problem(answer.status_code, _json(answer), retry_after_s=_retry_after_s(answer))


def _pause_s(error: HouseError, attempt: int, *, is_repeatable: bool) -> float | None:
    """How long to wait before the next try; None for none."""
    usual_s: float = min(8.0, 0.5 * 2 ** (attempt - 1)) * random.uniform(0.75, 1.0)
    if error.retry_after_s is not None:
        is_soon = error.status in {429, 503} and error.retry_after_s <= PATIENCE_S
        return max(error.retry_after_s, 0.05) if is_soon else None
    if error.code == "not_connected":
        return usual_s
    is_lost = error.code == "answer_lost" or error.status in LOST
    return usual_s if is_lost and is_repeatable else None


def _retry_after_s(answer: httpx.Response) -> float | None:
    said = str(answer.headers.get("Retry-After", ""))
    return float(said) if said.isdecimal() else None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
