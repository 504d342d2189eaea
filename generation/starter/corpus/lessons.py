"""What the starter model is taught: texts, and of each how its picture is made.

A lesson shows one thing as it is, in another colour, several times, or with a second thing. The
phrasings that the model is judged by are never among them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.starter.corpus import compositions, phrasing
from generation.starter.corpus.compositions import Picture
from generation.starter.corpus.phrasing import JOINTS, Names

PHRASES = {"thing": 28, "sign": 16, "tone": 5}  # ways to say one picture
UNSEEN = 2  # ways to say it that training leaves out, to see what it learned
MOVED_SHARE = 0.1
CLOTHING = 65


@dataclass(frozen=True, slots=True)
class Lesson:
    """`first` and `second` are places among the pictures; `how` is a colour, a number or where the
    second thing is, by what `kind` is: "one", "colour", "count" or "two"."""

    text: str
    kind: str
    first: int
    second: int = -1
    how: str = ""
    is_unseen: bool = False


def read_sealed(folder: Path) -> frozenset[str]:
    """The phrasings that the model is judged by, lower case."""
    return frozenset(
        line.split("\t")[1].lower()
        for path in sorted(folder.glob("*.tsv"))
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith("#")
    )


def single(names: list[Names], sealed: frozenset[str]) -> Iterator[Lesson]:
    """Each picture alone, in many ways."""
    for index, each in enumerate(names):
        kind = "tone" if each.variants > 1 else "thing" if each.is_thing else "sign"
        said = set(sealed)
        for number in (*range(PHRASES[kind]), *range(1000, 1000 + UNSEEN)):
            text = phrasing.phrase(each, random.Random(f"{each.code} {number}"))
            if text.lower() not in said:
                said.add(text.lower())
                yield Lesson(text, "one", index, is_unseen=number >= 1000)


class Composer:
    """Draws lessons of recoloured, repeated and joined `pictures` uint8 [N, 128, 128, 4]."""

    def __init__(self, pictures: Picture, names: list[Names]) -> None:
        self._names = names
        self._things = [n for n, each in enumerate(names) if each.is_thing and each.variants == 1]
        self._worn = [n for n in self._things if names[n].subgroup == CLOTHING]
        self._colourable = [
            n for n in self._things if compositions.main_hue(np.array(pictures[n])) is not None
        ]

    def draw(self, count: int, sealed: frozenset[str], rng: random.Random) -> Iterator[Lesson]:
        """`count` lessons: a third coloured, a sixth counted, half of two things; one of twenty is
        left out of training."""
        made = 0
        while made < count:
            lesson = self._one(rng, is_unseen=made % 20 == 0)
            if lesson.text.lower() not in sealed:
                made += 1
                yield lesson

    def _one(self, rng: random.Random, *, is_unseen: bool) -> Lesson:
        drawn = rng.random()
        if drawn < 0.32:
            index, colour = self._pick(self._colourable, rng), rng.choice(list(phrasing.COLOURS))
            text = phrasing.coloured(self._names[index], colour, rng)
            return Lesson(text, "colour", index, how=colour, is_unseen=is_unseen)
        if drawn < 0.5:
            index, number = self._pick(self._things, rng), rng.choice((2, 2, 3, 3, 4))
            text = phrasing.counted(self._names[index], number, rng)
            return Lesson(text, "count", index, how=str(number), is_unseen=is_unseen)
        relation = rng.choice(list(JOINTS))
        first, second = self._pick(self._things, rng), self._pick(self._things, rng)
        if relation == "worn" and self._worn and rng.random() < 0.7:
            second = rng.choice(self._worn)
        text = phrasing.joined(self._names[first], self._names[second], relation, rng)
        return Lesson(text, "two", first, second, relation, is_unseen)

    def _pick(self, among: list[int], rng: random.Random) -> int:
        return rng.choices(among, [self._names[n].weight for n in among])[0]


def picture(lesson: Lesson, pictures: Picture, rng: random.Random) -> Picture:
    """The picture of a lesson, RGB uint8 [128, 128, 3]; places are a little different each time."""
    first = np.array(pictures[lesson.first])
    if lesson.kind == "colour":
        return compositions.on_white(compositions.recolour(first, lesson.how))
    if lesson.kind == "count":
        return compositions.several(first, int(lesson.how), rng)
    if lesson.kind == "two":
        return compositions.two(first, np.array(pictures[lesson.second]), lesson.how, rng)
    if rng.random() < MOVED_SHARE:
        return compositions.moved(first, rng)
    return compositions.on_white(first)
