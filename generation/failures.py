"""What to tell the owner of a request that failed, by its stable code."""

from __future__ import annotations

from dataclasses import dataclass

from generation.engine.jobs import AdapterNotLoadable, ModelNotLoadable, NotFinite


@dataclass(frozen=True, slots=True)
class Failure:
    message: str
    advice: str


UNKNOWN = Failure(
    "Something went wrong while the image was made.",
    "Try again; if it happens again, tell the operator the code.",
)
FAILURES: dict[str, Failure] = {
    error.default_code: Failure(error.default_message, error.default_advice)
    for error in (NotFinite, AdapterNotLoadable, ModelNotLoadable)
} | {
    "render_failed": UNKNOWN,
    "screening_failed": Failure(
        "The prompt could not be screened, and nothing is made that was not screened.",
        "Try again in a few minutes; if it happens again, tell the operator.",
    ),
    "worker_lost": Failure(
        "The workers that tried to make this image stopped before it was done.",
        "Try again in a few minutes; if it happens again, tell the operator.",
    ),
}


def explain(code: str) -> Failure:
    return FAILURES.get(code, UNKNOWN)
