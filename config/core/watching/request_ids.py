"""The id of the HTTP request that is being answered: in its answer, and in every line about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4


@dataclass(slots=True)
class AnsweredRequest:
    """`route` is the pattern of its address, known once Django has looked it up."""

    id: str
    route: str = ""


_current: ContextVar[AnsweredRequest | None] = ContextVar("answered_request", default=None)


@contextmanager
def answering(request_id: str = "") -> Iterator[AnsweredRequest]:
    """The request that is answered meanwhile: the one that already is, or a new one."""
    if (known := _current.get()) is not None:
        yield known
        return
    begun = AnsweredRequest(request_id or f"req_{uuid4().hex}")
    token = _current.set(begun)
    try:
        yield begun
    finally:
        _current.reset(token)


def current() -> str:
    """Empty where no request is answered."""
    known = _current.get()
    return known.id if known else ""
