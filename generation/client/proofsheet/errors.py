"""What can go wrong, one class for each thing that a program would do differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class HouseError(Exception):
    """The root of all. `code` is stable, `sentence` says what happened, `advice` what to do.

    `statement_url` and `appeal_url` are set where a decision can be read and contested.
    """

    sentence: str
    code: str = "error"
    advice: str = ""
    status: int | None = None
    statement_url: str | None = None
    appeal_url: str | None = None
    retry_after_s: float | None = None
    errors: Mapping[str, Any] = field(default_factory=dict)
    generation: Any = None

    def __str__(self) -> str:
        named = "; ".join(f"{name}: {why}" for name, why in self.errors.items())
        contest = f"Appeal: {self.appeal_url}" if self.appeal_url else ""
        return " ".join(part for part in (self.sentence, self.advice, named, contest) if part)


class NotAllowed(HouseError):
    """401 or 403: the key is not good, or was made for other calls."""


class NotFound(HouseError):
    """404 or 410: it is not among what the key may see, or was deleted."""


class Invalid(HouseError):
    """400, 413, 415 or 422: what was asked cannot be done; `errors` names the fields."""


class Conflict(HouseError):
    """409: it is not in a state that allows it."""


class TooMany(HouseError):
    """429: more than the account may ask for now; `retry_after_s` says when to come back."""


class Unavailable(HouseError):
    """No answer, or one of 500 and above."""


class Refused(HouseError):
    """Prompt or pictures were refused by a decision that `appeal_url` contests."""


class Held(HouseError):
    """A person decides about it first; ask for `generation.id` later."""


class Failed(HouseError):
    """It could not be made, or was cancelled; nobody decided anything about it."""


class TimedOut(HouseError):
    """It did not end within the time that the caller gave; the house goes on with it."""


class Damaged(HouseError):
    """The file that came is not the one that the house has recorded."""


class WebhookRejected(HouseError):
    """A message that claims to be from the house, and is not signed by it, or is too old."""


_BY_STATUS: dict[int, type[HouseError]] = {
    400: Invalid, 401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 410: NotFound,
    413: Invalid, 415: Invalid, 422: Invalid, 429: TooMany,
}  # fmt: skip


def of_problem(status: int, body: Any, *, retry_after_s: float | None = None) -> HouseError:
    """The error that a problem document (RFC 9457) tells of."""
    said = body if isinstance(body, dict) else {}
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else HouseError)
    told = (said.get(name) for name in ("title", "code", "detail"))
    title, code, advice = (str(each or "") for each in told)
    addresses = (said.get("statement_url"), said.get("appeal_url"))
    about = (code or "error", advice, status, *addresses, retry_after_s, said.get("errors") or {})
    return kind(title or f"The house answered {status}.", *about)
