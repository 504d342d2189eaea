"""Hand-written stand-ins for what a test must steer: the clock and the classifiers' scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class FrozenClock:
    """A clock that stands still until it is moved: `clock()` is the time."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


@dataclass
class FakeImageClassifier:
    """Gives every picture the same score, and keeps the bytes that it saw."""

    sexual: float = 0.0
    name: str = "fake-image"
    version: str = "1"
    seen: list[bytes] = field(default_factory=list)

    def score(self, data: bytes) -> dict[str, float]:
        self.seen.append(data)
        return {"sexual": self.sexual}


@dataclass
class FakePromptClassifier:
    """Scores by words: a prompt that holds "doubtful" is held, one that holds "awful" refused."""

    name: str = "fake-prompt"
    version: str = "1"

    def score(self, text: str) -> dict[str, float]:
        lowered = text.lower()
        return {"sexual": 0.95 if "awful" in lowered else 0.6 if "doubtful" in lowered else 0.0}


class BrokenClassifier:
    """Fails on everything, as one would whose weights cannot be read."""

    name = "broken"
    version = "1"

    def score(self, text: object) -> dict[str, float]:
        raise RuntimeError("the weights cannot be read")
