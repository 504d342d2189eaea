"""What a check of the doctor's tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symptom:
    """One true sentence and what to do. `is_harmless` is worth knowing and ends no examination
    badly.
    """

    sentence: str
    advice: str
    is_harmless: bool = False


Check = Callable[[], Iterator[Symptom]]
