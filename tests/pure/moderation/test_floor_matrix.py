"""The floor in every language of the lexicon: minors and persons who can be identified, and the
same people where nothing is bare."""

from __future__ import annotations

import tomllib
from itertools import cycle
from pathlib import Path

from moderation.policy.rulebook import lexicon
from tests.pure.moderation.test_lexicon import judged

PROMPTS = Path(__file__).parents[2] / "moderation" / "prompts"
MATRIX = tomllib.loads((PROMPTS / "floor_matrix.toml").read_text(encoding="utf-8"))


def scenes(language: str, who: str) -> list[str]:
    listed = MATRIX[language]
    said = zip(listed[who], cycle(listed["scenes"]), strict=False)
    return [scene.format(each) for each, scene in said]


def test_the_matrix_has_every_language_of_the_lexicon() -> None:
    known = {path.stem for path in Path(lexicon.FOLDER / "2026-12").glob("*.toml")}
    assert set(MATRIX) == known
    assert all(len(each["minor"]) >= 12 and len(each["person"]) >= 8 for each in MATRIX.values())


def test_a_minor_in_a_bare_scene_is_refused_in_every_language() -> None:
    asked = [text for language in MATRIX for text in scenes(language, "minor")]
    missed = [text for text in asked if _lacks(text, "minors")]
    assert len(missed) <= len(asked) / 100, missed


def test_a_known_person_in_a_bare_scene_is_refused_in_every_language() -> None:
    asked = [text for language in MATRIX for text in scenes(language, "person")]
    missed = [text for text in asked if _lacks(text, "intimate")]
    assert len(missed) <= len(asked) / 100, missed


def test_children_in_clothes_at_sport_and_at_the_doctor_are_not_refused() -> None:
    asked = [text for each in MATRIX.values() for text in each["harmless"]]
    assert len(asked) >= 3 * len(MATRIX)
    assert not [text for text in asked if judged(text)[0] == "refuse"]


def _lacks(text: str, category: str) -> bool:
    verdict, categories = judged(text)
    return verdict != "refuse" or category not in categories
