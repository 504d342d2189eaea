"""Prompt classifier: one logistic head a category over MiniLM's sentence vectors.

The heads are fitted by ``moderation.classifiers.fit``. MiniLM reads English; other languages are
left to the rules.
"""

import re
from functools import cache

import torch

from moderation.classifiers import PromptClassifier, chosen, heads, sentences

LATIN_WORD = re.compile(r"[A-Za-z]{2}")


class HeadClassifier:
    """`score` is safe from many threads."""

    name = heads.NAME

    def __init__(self) -> None:
        fitted = heads.load()
        self.version = heads.version()
        self._labels = fitted.labels
        self._weight = torch.from_numpy(fitted.weight)
        self._bias = torch.from_numpy(fitted.bias)

    def score(self, text: str) -> dict[str, float]:
        """Score per category in [0, 1], of a long text its windows' highest; all zero for one
        without a Latin word, of which the model knows too little to say anything."""
        if not LATIN_WORD.search(text):
            return dict.fromkeys(self._labels, 0.0)
        vectors = sentences.model().embed_windows(text)
        shares = torch.stack([torch.sigmoid(self._weight @ v + self._bias) for v in vectors])
        highest = shares.amax(0).tolist()
        return {label: round(share, 4) for label, share in zip(self._labels, highest, strict=True)}


@cache
def shipped() -> HeadClassifier:
    """The classifier that ships, loaded once in a process."""
    return HeadClassifier()


def classifier() -> PromptClassifier:
    """The one that the settings choose, loaded once in a process."""
    model = chosen.of("prompt")
    if model is None:
        return shipped()
    from moderation.classifiers import own  # loads onnxruntime, which a shipped one may not need

    return own.prompt_classifier(model)
