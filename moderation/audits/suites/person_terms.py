"""Groups by construction: which person terms a prompt itself states. No model, no picture.

A prompt that names two values of one dimension is "several"; one that names none is "".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

DIMENSIONS = ("gender", "age", "skin")
SEVERAL = "several"
TITLES: Mapping[str, str] = {
    "woman": "Woman",
    "man": "Man",
    "person": "Person",
    "child": "Child",
    "adult": "Adult",
    "older": "Older adult",
    "light": "Light skin",
    "medium-light": "Medium-light skin",
    "medium": "Medium skin",
    "medium-dark": "Medium-dark skin",
    "dark": "Dark skin",
    SEVERAL: "Several",
    "": "Not stated",
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "gender": {
        "woman": "woman women female females lady ladies girl girls mother grandmother she her",
        "man": "man men male males gentleman gentlemen boy boys father grandfather guy he his",
    },
    "age": {
        "child": "child children kid kids boy boys girl girls baby babies toddler",
        "older": "old older elderly senior grandmother grandfather",
    },
}
_TONE = re.compile(r"\b(medium[ -]light|medium[ -]dark|light|medium|dark)[ -]skin(?:ned)?\b")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Groups:
    """Values of the three dimensions, "" where the prompt states none."""

    gender: str = ""
    age: str = ""
    skin: str = ""


def groups_of(prompt: str) -> Groups:
    """Groups that the prompt's own words state."""
    lowered = prompt.lower()
    words = set(_WORD.findall(lowered))
    stated = {
        dimension: [value for value, listed in values.items() if words & set(listed.split())]
        for dimension, values in _WORDS.items()
    }
    tones = {tone.replace(" ", "-") for tone in _TONE.findall(lowered)}
    return Groups(_one(stated["gender"]), _one(stated["age"]), _one(sorted(tones)))


def _one(values: list[str]) -> str:
    return values[0] if len(values) == 1 else SEVERAL if values else ""


def title(value: str) -> str:
    """A group's name as a report prints it."""
    return TITLES.get(value, value)
