"""Learned classifiers, each with ``name``, ``version`` and ``score(...) -> dict[category, float]``.

The modules beside this one load torch and onnxruntime; only workers and commands import them.
"""

from typing import Protocol


class PromptClassifier(Protocol):
    """Scores text: for each category a number in [0, 1]."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def score(self, text: str) -> dict[str, float]: ...


class ImageClassifier(Protocol):
    """Scores an encoded picture: for each category a number in [0, 1]."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def score(self, data: bytes) -> dict[str, float]: ...
