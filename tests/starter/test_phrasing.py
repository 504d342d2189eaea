"""Captions as people write them, in four languages; what the model is judged by is never said."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from generation.starter.corpus import lessons, phrasing
from generation.starter.corpus.lessons import Composer, read_sealed
from generation.starter.corpus.phrasing import Names, read_names
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


def test_sealed_phrasings_are_never_said(names: list[Names]) -> None:
    pictures = np.full((2, 128, 128, 4), 255, np.uint8)
    pictures[..., :3] = (200, 20, 20)
    sealed = frozenset({"a dog", "dog", "apple", "two apples"})
    said = {each.text.lower() for each in lessons.single(names, sealed)}
    composed = Composer(pictures, names).draw(300, sealed, random.Random(1))
    said |= {each.text.lower() for each in composed}
    assert {"an apple", "three apples"} <= said
    assert not sealed & said


def test_every_kind_of_lesson_has_its_picture(names: list[Names]) -> None:
    pictures = np.full((2, 128, 128, 4), 255, np.uint8)
    pictures[..., :3] = (200, 20, 20)
    taught = [*lessons.single(names, frozenset())]
    taught += Composer(pictures, names).draw(200, frozenset(), random.Random(1))
    assert {each.kind for each in taught} == {"one", "colour", "count", "two"}
    for each in taught:
        shown = lessons.picture(each, pictures, random.Random(1))
        assert shown.shape == (128, 128, 3)
        assert shown.dtype == np.uint8


def test_every_judged_phrase_is_sealed_and_names_its_pictures() -> None:
    sealed = read_sealed(starter_phrases.FOLDER)
    counts = {}
    for language in phrasing.LANGUAGES:
        phrases = starter_phrases.read(language)
        assert all(each.text.lower() in sealed for each in phrases)
        assert all(code for each in phrases for things in each.things for code in things)
        counts[language] = [sum(p.kind == k for p in phrases) for k in ("one", "attribute", "two")]
    assert counts == {"en": [180, 60, 60], **dict.fromkeys(("de", "fr", "es"), [70, 15, 15])}
