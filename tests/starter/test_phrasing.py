"""Captions as people write them, in four languages; what the model is judged by is never said."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from generation.starter.corpus import phrasing
from generation.starter.corpus.compositions import Picture
from generation.starter.corpus.phrasing import Names, read_names
from generation.starter.training.lesson import Encoder, Lesson, Mix, Texts
from generation.starter.training.teach import read_sealed
from tests.bench import starter_phrases

LABELS = {
    "en": ("dog face", "apple"),
    "de": ("Hundegesicht", "Apfel"),
    "fr": ("tête de chien", "pomme"),
    "es": ("cara de perro", "manzana"),
}


@pytest.fixture
def names(tmp_path: Path) -> list[Names]:
    for language, labels in LABELS.items():
        (tmp_path / language).mkdir()
        rows = [
            {
                "hexcode": code, "label": label, "tags": [f"{label} tag"], "group": group,
                "subgroup": 34, "emoji": emoji,
            }
            for code, label, group, emoji in zip(
                ("1F436", "1F34E"), labels, (3, 4), "🐶🍎", strict=True
            )
        ]  # fmt: skip
        rows.append({"hexcode": "1F1E9", "label": "flag", "group": 9, "emoji": "🇩"})
        (tmp_path / language / "data.json").write_text(json.dumps(rows), "utf-8")
    return list(read_names(tmp_path).values())


def test_a_face_is_called_by_what_it_is_the_face_of(names: list[Names]) -> None:
    dog = names[0]
    assert [of[0] for of in dog.names] == ["dog", "hunde", "chien", "perro"]
    assert "dog face" in dog.names[0]


def test_flags_are_left_out(names: list[Names]) -> None:
    assert [each.code for each in names] == ["1f436", "1f34e"]


def test_all_languages_and_the_emoji_itself_are_said(names: list[Names]) -> None:
    rng = random.Random(1)
    said = {phrasing.phrase(names[1], rng) for _ in range(400)}
    assert {"an apple", "🍎", "apfel", "une pomme"} <= said
    assert any("manzana" in each for each in said)
    assert not any(each.startswith("a apple") for each in said)


def test_colours_and_numbers_are_said_in_the_order_of_the_language(names: list[Names]) -> None:
    rng = random.Random(1)
    coloured = {phrasing.coloured(names[1], "blue", rng) for _ in range(200)}
    assert {"a blue apple", "une pomme bleu", "ein blau apfel"} <= coloured
    assert "two apples" in {phrasing.counted(names[1], 2, rng) for _ in range(100)}


class _Silent(Texts):
    """Reads nothing and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def states(self, texts: list[str]) -> Tensor:
        self.said += texts
        return torch.zeros(len(texts), 24, 384)


class _Blank(Encoder):
    def __init__(self) -> None:
        pass

    def latents(self, pictures: list[Picture]) -> Tensor:
        return torch.zeros(len(pictures), 16, 16, 16)


def test_sealed_phrasings_are_never_said(names: list[Names]) -> None:
    pictures = np.full((2, 128, 128, 4), 255, np.uint8)
    pictures[..., 0] = 20
    texts, sealed = _Silent(), frozenset({"a dog", "dog", "apple", "two apples"})
    named = [names[0], names[1]]
    lesson = Lesson(pictures, named, texts, _Blank(), sealed, Mix(joined=0))
    latents, states = lesson.draw(600, random.Random(1))
    assert (len(latents), len(states)) == (600, 600)
    assert "an apple" in texts.said
    assert not sealed & set(texts.said)


def test_every_judged_phrase_is_sealed_and_names_its_pictures() -> None:
    sealed = read_sealed(starter_phrases.FOLDER)
    counts = {}
    for language in phrasing.LANGUAGES:
        phrases = starter_phrases.read(language)
        assert all(each.text.lower() in sealed for each in phrases)
        assert all(code for each in phrases for things in each.things for code in things)
        counts[language] = [sum(p.kind == k for p in phrases) for k in ("one", "attribute", "two")]
    assert counts == {"en": [180, 60, 60], **dict.fromkeys(("de", "fr", "es"), [70, 15, 15])}
