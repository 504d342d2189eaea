"""Does the starter model draw what people type? Phrasings that training never said.

A phrase of one thing is found when one of its pictures is among the ten nearest of all training
pictures. One with a colour or a number is looked up among these and the recoloured, and the
repeated, pictures of all such phrases: the right colour or count of the right thing must be among
the ten nearest. Two things are looked up on crops of the made picture (halves, the parts that lie
apart): each must be among the ten nearest of a crop of its own. What chance finds is measured by
giving each phrase the picture of another.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from generation.starter.corpus import compositions
from generation.starter.corpus.captions import bare_code
from generation.starter.corpus.phrasing import COLOURS, NUMBERS
from generation.starter.corpus.picture_sets import Transparent
from tests.bench.likeness import Neighbours, Pixels

FOLDER = Path(__file__).parents[1] / "starter" / "phrases"
NEAREST = 10
LEAST_PART = 0.02  # of the picture's area, below which something that lies apart is no thing


@dataclass(frozen=True, slots=True)
class Phrase:
    """`things` are alternatives of bare code points, one set or two."""

    kind: str
    text: str
    things: tuple[tuple[str, ...], ...]
    attribute: str


def read(language: str, folder: Path = FOLDER) -> list[Phrase]:
    rows = (folder / f"{language}.tsv").read_text("utf-8").splitlines()
    found = []
    for row in rows:
        if row.startswith("#"):
            continue
        kind, text, things, *attribute = row.split("\t")
        sets = tuple(
            tuple(bare_code("-".join(f"{ord(c):x}" for c in emoji)) for emoji in each.split())
            for each in things.split("+")
        )
        found.append(Phrase(kind, text, sets, attribute[0] if attribute else ""))
    return found


class Judge:
    """Knows the training pictures, and the recoloured and repeated ones of `phrases`."""

    def __init__(self, drawn: Transparent, phrases: Iterable[Phrase]) -> None:
        self._places = {code: place for place, code in enumerate(drawn.codes)}
        pictures = [compositions.on_white(np.array(p)) for p in drawn.pixels]
        self._plain = len(pictures)
        self._made: dict[tuple[str, str], list[int]] = {}
        for code, attribute in sorted(set(_variants(phrases))):
            made = _make(np.array(drawn.pixels[self._places[code]]), attribute)
            self._made[code, attribute] = list(range(len(pictures), len(pictures) + len(made)))
            pictures += made
        self._neighbours = Neighbours(np.stack(pictures))

    def finds(self, phrase: Phrase, picture: Pixels) -> bool:
        if len(phrase.things) == 2:
            return self._finds_both(phrase, picture)
        wanted = {self._places[code] for code in phrase.things[0]}
        if not phrase.attribute:
            return bool(wanted & set(self._nearest(picture, self._plain)))
        named = {"purple": "1f49c", "green": "1f49a", "blue": "1f499", "black": "1f408-200d-2b1b"}
        own = {named.get(phrase.attribute, "")} & set(phrase.things[0])
        right = {self._places[code] for code in own}
        if phrase.attribute == "green" and "1f34f" in phrase.things[0]:
            right.add(self._places["1f34f"])
        for code in phrase.things[0]:
            right |= set(self._made.get((code, phrase.attribute), ()))
        return bool(right & set(self._nearest(picture, None)))

    def _nearest(self, picture: Pixels, among: int | None) -> list[int]:
        distances = self._neighbours.distances(picture)[:among]
        return [int(index) for index in np.argpartition(distances, NEAREST)[:NEAREST]]

    def _finds_both(self, phrase: Phrase, picture: Pixels) -> bool:
        seen = [set(self._nearest(crop, self._plain)) for crop in crops(picture)]
        hits = [
            {n for n, near in enumerate(seen) if near & {self._places[code] for code in things}}
            for things in phrase.things
        ]
        return any(a != b for a in hits[0] for b in hits[1])


def _variants(phrases: Iterable[Phrase]) -> Iterator[tuple[str, str]]:
    for phrase in phrases:
        if phrase.attribute and len(phrase.things) == 1:
            kinds = COLOURS if phrase.attribute in COLOURS else map(str, NUMBERS)
            for code in phrase.things[0]:
                yield from ((code, each) for each in kinds)


def _make(picture: Pixels, attribute: str) -> list[Pixels]:
    if attribute in COLOURS:
        return [compositions.on_white(compositions.recolour(picture, attribute))]
    rng = random.Random(attribute)
    return [compositions.several(picture, int(attribute), rng) for _ in range(2)]


def _fill(picture: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    """The part in the box (left, top, right, bottom), cut to what is not white, as large as a
    training picture shows it."""
    left, top, right, bottom = box
    cut = np.ascontiguousarray(picture[top:bottom, left:right])
    rows, columns = np.nonzero((cut < 235).any(axis=2))
    if len(rows) < 20:
        return np.full((128, 128, 3), 255, np.uint8)
    cut = cut[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = 120 / max(cut.shape[:2])
    size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
    large = cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC)
    made = np.full((128, 128, 3), 255, np.uint8)
    y, x = (128 - size[1]) // 2, (128 - size[0]) // 2
    made[y : y + size[1], x : x + size[0]] = large
    return made


def crops(picture: Pixels) -> list[Pixels]:
    """Halves, a low large part with a high small one, and the two largest parts that lie apart."""
    boxes = [
        (0, 0, 64, 128), (64, 0, 128, 128), (0, 0, 128, 64), (0, 64, 128, 128),
        (0, 28, 128, 128), (24, 0, 104, 42),
    ]  # fmt: skip
    apart: Pixels = np.asarray((picture < 235).any(axis=2), np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(apart)
    parts = sorted(range(1, count), key=lambda n: -int(stats[n][cv2.CC_STAT_AREA]))[:2]
    for part in parts:
        left, top, width, height, area = (int(value) for value in stats[part])
        if area >= LEAST_PART * 128 * 128:
            boxes.append((left, top, left + width, top + height))
    return [_fill(picture, box) for box in boxes]
