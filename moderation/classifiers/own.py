"""Models of one's own through transformers: text and image classification, and guards that answer
in words (such as Llama Guard). Only safetensors are read, and no code of a model's own is run.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from PIL import Image
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForCausalLM,
    AutoModelForImageClassification,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from moderation.classifiers import ImageClassifier, PromptClassifier
from moderation.classifiers.chosen import ChosenModel, ClassifierChanged, ClassifierInvalid, digest
from provenance.pictures import decoder

ANSWER_TOKENS = 24  # a verdict and a list of categories
UNSAFE = "unsafe"


class TextModel:
    """A text classifier; `score` is safe from many threads."""

    def __init__(self, chosen: ChosenModel) -> None:
        self.name, self.version = chosen.name, chosen.version
        self._labels = dict(chosen.labels)
        self._lock, self._device = Lock(), chosen.device
        self._tokenizer = AutoTokenizer.from_pretrained(**_pinned(chosen))
        self._model = AutoModelForSequenceClassification.from_pretrained(
            **_pinned(chosen), use_safetensors=True
        )
        self._model.to(chosen.device).eval()
        _check_labels(self._labels, self._model.config.id2label.values())

    @torch.inference_mode()
    def score(self, text: str) -> dict[str, float]:
        """The highest share of a label for each category that the setting names."""
        with self._lock:
            read = self._tokenizer(text, truncation=True, return_tensors="pt").to(self._device)
            [logits] = self._model(**read).logits
        return _by_category(self._labels, _shares(self._model.config, logits))


class PictureModel:
    """A picture classifier; `score` is safe from many threads."""

    def __init__(self, chosen: ChosenModel) -> None:
        self.name, self.version = chosen.name, chosen.version
        self._labels = dict(chosen.labels)
        self._lock, self._device = Lock(), chosen.device
        self._processor = AutoImageProcessor.from_pretrained(**_pinned(chosen), backend="pil")
        self._model = AutoModelForImageClassification.from_pretrained(
            **_pinned(chosen), use_safetensors=True
        )
        self._model.to(chosen.device).eval()
        _check_labels(self._labels, self._model.config.id2label.values())

    @torch.inference_mode()
    def score(self, data: bytes) -> dict[str, float]:
        """As of a text. Raises decoder.PictureUnreadable."""
        image = Image.fromarray(decoder.read(data).pixels)
        with self._lock:
            read = self._processor(image, return_tensors="pt").to(self._device)
            [logits] = self._model(**read).logits
        return _by_category(self._labels, _shares(self._model.config, logits))


class Guard:
    """A chat model that answers "safe", or "unsafe" and the hazards' codes in the next line (Llama
    Guard's model card). Every hazard that is named gets the probability of "unsafe"; the label
    ``unsafe`` of the setting stands for an answer that names none.
    """

    def __init__(self, chosen: ChosenModel) -> None:
        self.name, self.version = chosen.name, chosen.version
        self._labels = dict(chosen.labels)
        self._lock, self._device = Lock(), chosen.device
        self._tokenizer = AutoTokenizer.from_pretrained(**_pinned(chosen))
        self._model = AutoModelForCausalLM.from_pretrained(**_pinned(chosen), use_safetensors=True)
        self._model.to(chosen.device).eval()
        if not self._tokenizer.chat_template:
            raise ClassifierInvalid(f"{chosen.source} has no chat template")
        if UNSAFE not in self._labels:
            raise ClassifierInvalid(f"name the category of “{UNSAFE}”, for answers without a code")
        [self._safe, *_] = self._tokenizer.encode("safe", add_special_tokens=False)
        [self._unsafe, *_] = self._tokenizer.encode(UNSAFE, add_special_tokens=False)

    @torch.inference_mode()
    def score(self, text: str) -> dict[str, float]:
        with self._lock:
            read = self._tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], return_tensors="pt", return_dict=True
            ).to(self._device)
            made = self._model.generate(
                **read,
                max_new_tokens=ANSWER_TOKENS,
                do_sample=False,
                output_scores=True,
                return_dict_in_generate=True,
            )
        tokens = made.sequences[0, read["input_ids"].shape[1] :]
        share = self._share_unsafe(tokens, made.scores)
        answer = self._tokenizer.decode(tokens, skip_special_tokens=True)
        named = [code for code in re.findall(r"[A-Za-z]+\d+", answer) if code in self._labels]
        flagged = {self._labels[code] for code in named or [UNSAFE]}
        return dict.fromkeys(self._labels.values(), 0.0) | dict.fromkeys(flagged, share)

    def _share_unsafe(self, tokens: torch.Tensor, scores: tuple[torch.Tensor, ...]) -> float:
        """Probability of "unsafe" against "safe" where the answer decides; 1 where it never does,
        because an answer that cannot be read lets nothing pass.
        """
        for token, logits in zip(tokens.tolist(), scores, strict=False):
            if token in {self._safe, self._unsafe}:
                pair = logits[0, [self._safe, self._unsafe]].float()
                return round(float(torch.softmax(pair, dim=0)[1]), 4)
        return 1.0


@cache
def prompt_classifier(chosen: ChosenModel) -> PromptClassifier:
    """Loads once in a process. Raises ClassifierInvalid, ClassifierChanged."""
    _check_folder(chosen)
    kind = _architecture(chosen)
    if kind.endswith("ForSequenceClassification"):
        return TextModel(chosen)
    if kind.endswith("ForCausalLM"):
        return Guard(chosen)
    raise ClassifierInvalid(f"{chosen.source} classifies no text: it is a {kind}")


@cache
def image_classifier(chosen: ChosenModel) -> ImageClassifier:
    """Loads once in a process. Raises ClassifierInvalid, ClassifierChanged."""
    _check_folder(chosen)
    kind = _architecture(chosen)
    if not kind.endswith("ForImageClassification"):
        raise ClassifierInvalid(f"{chosen.source} classifies no pictures: it is a {kind}")
    return PictureModel(chosen)


def _architecture(chosen: ChosenModel) -> str:
    names = AutoConfig.from_pretrained(**_pinned(chosen)).architectures or [""]
    return str(names[0])


def _pinned(chosen: ChosenModel) -> dict[str, Any]:
    """The arguments that find exactly the pinned files, and run none of them."""
    found: dict[str, Any] = {
        "pretrained_model_name_or_path": chosen.source,
        "trust_remote_code": False,
    }
    return found if chosen.is_folder else found | {"revision": chosen.revision}


def _check_folder(chosen: ChosenModel) -> None:
    if not chosen.is_folder:
        return
    folder = Path(chosen.source)
    if not folder.is_dir():
        raise ClassifierInvalid(f"there is no folder {chosen.source}")
    if digest(folder) != chosen.revision:
        raise ClassifierChanged(f"{chosen.source} holds other files than the setting pins")


def _check_labels(labels: Mapping[str, str], known: Any) -> None:
    if strangers := set(labels) - set(known):
        raise ClassifierInvalid(f"the model has no labels {sorted(strangers)}")


def _shares(config: Any, logits: torch.Tensor) -> dict[str, float]:
    """Label to probability: each by itself for a model of several labels, else of all together."""
    is_multi = config.problem_type == "multi_label_classification" or logits.numel() == 1
    shares = torch.sigmoid(logits.float()) if is_multi else torch.softmax(logits.float(), dim=-1)
    return {config.id2label[place]: float(share) for place, share in enumerate(shares)}


def _by_category(labels: Mapping[str, str], shares: Mapping[str, float]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for label, category in labels.items():
        scores[category] = max(scores.get(category, 0.0), round(shares[label], 4))
    return scores
