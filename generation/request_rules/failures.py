"""What to tell the owner of a request that failed, by its stable code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.core.disk_full import StorageFull
from config.core.errors import ProofsheetError
from generation.engine.jobs import (
    AdapterNotLoadable,
    DeadlinePassed,
    Fp8NotPossible,
    ModelNotLoadable,
    ModelTooLarge,
    MoreAdaptersThanSlots,
    NotFinite,
    OutOfMemory,
    RankTooHigh,
    StepsNotSupported,
)
from generation.request_rules.parameters import SourceGone, SourceNotScreened


class AdapterGone(ProofsheetError):
    """`names` are those of the adapters; why each is gone is told apart to nobody."""

    default_code = "adapter_gone"
    default_message = (
        "An adapter of this request cannot be used any more: it was withdrawn, or is no longer "
        "shared with you."
    )
    default_advice = (
        "Submit the request again without it, or with an adapter that the studio lists."
    )

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = tuple(names)
        super().__init__(message=_sentence(names) if names else None)


class AdapterCacheFull(ProofsheetError):
    """Of one render host: the storage may have all the room that there is."""

    default_code = "adapter_cache_full"
    default_message = "The hosts that tried had no room for the file of an adapter."
    default_advice = "Try again later, and tell the operator: a render host's disk is full."


@dataclass(frozen=True, slots=True)
class Failure:
    """What its owner is told: one sentence of what happened, one of what to do."""

    message: str
    advice: str


UNKNOWN = Failure(
    "Something went wrong while the image was made.",
    "Try again; if it happens again, tell the operator the code.",
)
FAILURES: dict[str, Failure] = {
    error.default_code: Failure(error.default_message, error.default_advice)
    for error in (
        AdapterCacheFull,
        AdapterNotLoadable,
        DeadlinePassed,
        Fp8NotPossible,
        ModelNotLoadable,
        ModelTooLarge,
        NotFinite,
        OutOfMemory,
        RankTooHigh,
        SourceGone,
        SourceNotScreened,
        StepsNotSupported,
        StorageFull,
        MoreAdaptersThanSlots,
    )
} | {
    "render_failed": UNKNOWN,
    "screening_failed": Failure(
        "The prompt could not be screened, and nothing is made that was not screened.",
        "Try again in a few minutes; if it happens again, tell the operator.",
    ),
    "live_prompt_stopped": Failure(
        "The screening would stop this prompt, so nothing is drawn live.",
        "Submit it in the studio to get the decision, with its reasons and a way to appeal.",
    ),
    "worker_lost": Failure(
        "The workers that tried to make this image stopped before it was done.",
        "Try again in a few minutes; if it happens again, tell the operator.",
    ),
}


def explain(code: str, noted: Iterable[Mapping[str, Any]] = ()) -> Failure:
    """`noted` are the failures that the request keeps under `code`: they may name adapters."""
    if code == AdapterGone.default_code:
        names = next((each["adapters"] for each in noted if "adapters" in each), ())
        gone = AdapterGone(names)
        return Failure(gone.message, gone.advice)
    return FAILURES.get(code, UNKNOWN)


def _sentence(names: Sequence[str]) -> str:
    said = " and ".join(f"“{name}”" for name in names)
    if len(names) == 1:
        return (
            f"The adapter {said} cannot be used any more: it was withdrawn, or is no longer shared "
            "with you."
        )
    return (
        f"The adapters {said} cannot be used any more: they were withdrawn, or are no longer "
        "shared with you."
    )
