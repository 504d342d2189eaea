"""Priority classes of requests, and how long a new one may be expected to wait. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """`priority` orders the line strictly; `budget_s` bounds the predicted wait at submission."""

    name: str
    priority: int
    budget_s: float


NAMES = ("interactive", "standard", "batch")
PRIORITIES = {"interactive": 1, "standard": 0, "batch": -1}


def name_of(priority: int) -> str:
    """The class of a stored priority; one that an operator raised counts as interactive."""
    return "interactive" if priority > 0 else "standard" if priority == 0 else "batch"


@dataclass(frozen=True, slots=True)
class Speed:
    """What a model's images cost lately, in device milliseconds.

    `row_step_ms` is one denoising step of one row; `fixed_ms` everything once an image (adapters,
    previews, decoding).
    """

    row_step_ms: float
    fixed_ms: float


def predicted_ms(speed: Speed, *, steps: int, guidance: float) -> int:
    """Device milliseconds of one image: guidance above 1 denoises two rows, one per prompt."""
    return round(speed.fixed_ms + speed.row_step_ms * steps * rows(guidance))


def rows(guidance: float) -> int:
    """Rows of a forward that one image takes: above 1, guidance denoises a second prompt."""
    return 2 if guidance > 1 else 1
