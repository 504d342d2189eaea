"""Screen prompts and pictures: classifiers and rules in, a verdict and a stored ``Screening`` out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Verdict = Literal["allow", "hold", "refuse"]


@dataclass(frozen=True, slots=True)
class PromptVerdict:
    """``matched`` holds (start, end, rule) in characters of the text as it was typed."""

    verdict: Verdict
    categories: dict[str, float]
    matched: tuple[tuple[int, int, str], ...]
    policy_version: str
    code: str
    screening_id: UUID


@dataclass(frozen=True, slots=True)
class ImageVerdict:
    verdict: Verdict
    categories: dict[str, float]
    policy_version: str
    code: str
    screening_id: UUID


def cached_prompt_verdict(text: str, *, profile: str = "general") -> PromptVerdict | None:
    """Verdict of an equal earlier prompt, without loading a classifier; None when there is none."""
    raise NotImplementedError


def screen_prompt(text: str, *, at: datetime, profile: str = "general") -> PromptVerdict:
    """Judge `text` and store the screening. Loads the classifier: for workers and commands only."""
    raise NotImplementedError


def screen_image(png: bytes, *, at: datetime, profile: str = "general") -> ImageVerdict:
    """Judge an encoded picture (PNG, JPEG or WebP) and store the screening. For workers and commands only."""
    raise NotImplementedError
