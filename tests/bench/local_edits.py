"""Pictures, edits and copied marks that the comparison by blocks is measured on.

Two halves that share no photograph, no caption and no place of an edit: thresholds were chosen on
"chosen", figures are told of "sealed". A name belongs to a half by its SHA-256.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data
from sklearn.datasets import load_sample_image  # type: ignore[import-untyped]  # it has no types

from generation.starter.layout import MODEL
from tests.bench.starter_artist import Artist
from tests.provenance.attacks import jpeg, resized

Pixels = NDArray[np.uint8]
Half = Literal["chosen", "sealed"]
SIDE = 512
SHARE = 0.35
"""The share of the area that an edit replaces."""
PHOTOGRAPHS = (
    "astronaut", "camera", "cell", "chelsea", "china", "clock", "coffee", "coins", "flower",
    "hubble_deep_field", "immunohistochemistry", "moon", "motorcycle", "retina", "rocket",
)  # fmt: skip
TEXTURES = ("brick", "grass", "gravel")
"""With the photographs, all that comes with scikit-image and scikit-learn. A mark of 42 dB can
often not be read from the textures even when nobody touched them, so they are told apart.
"""
CUTS = 3
"""Pictures made of one photograph: the whole, and two corners at 8/5 of their size."""
CAPTIONS = (
    "red apple", "rocket", "dog face", "pizza", "umbrella", "tree", "guitar", "house",
    "woman running: dark skin tone", "man running: light skin tone",
    "woman health worker: medium skin tone", "man astronaut: medium-dark skin tone",
    "thumbs up: medium-light skin tone", "old woman: light skin tone",
    "man cook: dark skin tone", "woman with headscarf: medium skin tone",
    "grinning face", "crying face", "cat face", "frog", "octopus", "fish", "lion", "penguin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    name: str
    pixels: Pixels


def half_of(name: str) -> Half:
    """The half that a photograph or a caption belongs to."""
    return "sealed" if hashlib.sha256(name.encode()).digest()[0] % 2 else "chosen"


@cache
def photographs(names: tuple[str, ...] = PHOTOGRAPHS) -> list[Named]:
    """Three pictures of each photograph: 45 of all."""
    return [
        Named(f"{name}/{number}", _cut(whole(name), number))
        for name in names
        for number in range(CUTS)
    ]


@cache
def starter_pictures(seed: int = 0) -> list[Named]:
    """Twenty-four pictures by the starter model, as it draws them for people."""
    artist = Artist(MODEL)
    drawn = [artist.draw(caption, seed=seed + place) for place, caption in enumerate(CAPTIONS)]
    return [
        Named(caption, resized(made.pixels, SIDE / made.pixels.shape[0]))
        for caption, made in zip(CAPTIONS, drawn, strict=True)
    ]


def of_half(pictures: list[Named], half: Half) -> list[Named]:
    return [each for each in pictures if half_of(each.name.partition("/")[0]) == half]


def whole(name: str) -> Pixels:
    pixels = loaded(name)
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, -1)
    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return _at_side(pixels[top : top + short, left : left + short, :3])


def loaded(name: str) -> Pixels:
    """A photograph at its own size, [H, W] or [H, W, 3 or 4]."""
    if name in ("china", "flower"):
        return np.asarray(load_sample_image(f"{name}.jpg"), np.uint8)
    if name == "motorcycle":
        return np.asarray(_motorcycle()[0], np.uint8)
    return np.asarray(getattr(data, name)(), np.uint8)


def _motorcycle() -> tuple[Pixels, ...]:
    return data.stereo_motorcycle()  # type: ignore[no-untyped-call, no-any-return]  # no types there


def other_eye() -> Pixels:
    """The motorcycle from a hand's breadth beside."""
    right = np.asarray(_motorcycle()[1], np.uint8)
    short = min(right.shape[:2])
    left = (right.shape[1] - short) // 2
    return _at_side(right[:short, left : left + short])


def _at_side(square: Pixels) -> Pixels:
    method = cv2.INTER_AREA if square.shape[0] > SIDE else cv2.INTER_CUBIC
    return np.asarray(
        cv2.resize(np.ascontiguousarray(square), (SIDE, SIDE), interpolation=method), np.uint8
    )


def _cut(pixels: Pixels, number: int) -> Pixels:
    """The whole picture, its upper left or its lower right part."""
    part = SIDE * 5 // 8
    corner = {0: pixels, 1: pixels[:part, :part], 2: pixels[-part:, -part:]}[number]
    return _at_side(corner)


Mask = NDArray[np.bool_]
_Kind = TypeVar("_Kind", np.uint8, np.bool_)


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited picture and where it was edited."""

    pixels: Pixels
    mask: Mask


Edit = Callable[[Pixels, Pixels, np.random.Generator], Edited]


def _rectangles(random: np.random.Generator, share: float, count: int) -> Mask:
    """Rectangles that cover this share of a square in all; they do not touch."""
    while True:
        mask = np.zeros((SIDE, SIDE), bool)
        for _ in range(count):
            ratio = float(np.exp(random.uniform(-0.6, 0.6)))
            wide = min(int(SIDE * np.sqrt(share / count * ratio)), SIDE - 1)
            high = min(int(SIDE**2 * share / count / wide), SIDE - 1)
            left, top = (int(random.integers(SIDE - side)) for side in (wide, high))
            if mask[max(0, top - 8) : top + high + 8, max(0, left - 8) : left + wide + 8].any():
                break
            mask[top : top + high, left : left + wide] = True
        else:
            return mask


def _pasted(share: float, count: int, *, flat: bool = False) -> Edit:
    def edit(pixels: Pixels, foreign: Pixels, random: np.random.Generator) -> Edited:
        mask = _rectangles(random, share, count)
        colour = random.integers(0, 256, 3).astype(np.uint8)
        return Edited(np.where(mask[..., None], colour if flat else foreign, pixels), mask)

    return edit


def _turned(number: int) -> Edit:
    def edit(pixels: Pixels, foreign: Pixels, random: np.random.Generator) -> Edited:
        return Edited(in_orientation(pixels, number), np.zeros(pixels.shape[:2], bool))

    return edit


def in_orientation(plane: NDArray[_Kind], number: int) -> NDArray[_Kind]:
    """Turned anticlockwise by so many right angles; from 4 on, mirrored first."""
    side = plane[:, ::-1] if number >= 4 else plane
    return np.ascontiguousarray(np.rot90(side, number % 4))


def _removed(pixels: Pixels, foreign: Pixels, random: np.random.Generator) -> Edited:
    """Something painted out, as a phone does it."""
    mask = _rectangles(random, 0.10, 1)
    painted = cv2.inpaint(pixels, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return Edited(np.asarray(painted, np.uint8), mask)


def _then(first: Edit, number: int = 0, *, sent_on: bool = False) -> Edit:
    """An edit, then a turn, then what a chat does to a picture."""

    def edit(pixels: Pixels, foreign: Pixels, random: np.random.Generator) -> Edited:
        edited = first(pixels, foreign, random)
        turned = in_orientation(edited.pixels, number)
        if sent_on:
            turned = jpeg(resized(turned, 0.8), 75)
        return Edited(turned, in_orientation(edited.mask, number))

    return edit


EDITS: dict[str, Edit] = {
    "one_foreign": _pasted(SHARE, 1),
    "one_flat": _pasted(SHARE, 1, flat=True),
    "three_foreign": _pasted(SHARE, 3),
    "three_flat": _pasted(SHARE, 3, flat=True),
    "small_foreign": _pasted(0.06, 1),
    "painted_out": _removed,
    **{f"turned_{number}": _turned(number) for number in range(8)},
    "one_foreign_mirrored": _then(_pasted(SHARE, 1), 4),
    "three_foreign_sent_on": _then(_pasted(SHARE, 3), sent_on=True),
}
"""The first fourteen are what the target is set over."""
TARGETED = tuple(EDITS)[:14]


def edited(half: Half | Literal["unseen"], picture: Named, foreign: Pixels, name: str) -> Edited:
    """One edit of one picture; where it goes belongs to half, picture and edit."""
    seed = hashlib.sha256(f"{half} {picture.name} {name}".encode()).digest()[:8]
    return EDITS[name](picture.pixels, foreign, np.random.default_rng(int.from_bytes(seed)))


def copied_marks(half: Half, count: int) -> Iterator[tuple[Named, Pixels, int]]:
    """A picture whose mark is copied, the picture that it is copied onto, and how many times as
    strong. Every third is onto a picture that looks alike.
    """
    own = of_half(photographs(), half) + of_half(starter_pictures(), half)
    alike = list(_alike(half, own))
    random = np.random.default_rng(5)
    for number in range(count):
        strength = 1 + number % 2
        if number % 3 == 0:
            yield *alike[number // 3 % len(alike)], strength
            continue
        source, victim = random.choice(len(own), 2, replace=False)
        yield own[source], own[victim].pixels, strength


def _alike(half: Half, own: list[Named]) -> Iterator[tuple[Named, Pixels]]:
    by_name = {each.name: each for each in own}
    for each in own:
        base, _, number = each.name.partition("/")
        if number:  # other parts of the same photograph
            others = (f"{base}/{other}" for other in range(CUTS) if str(other) != number)
            yield from ((each, by_name[other].pixels) for other in others)
            continue
        for seed in (100, 200):  # the same caption drawn again
            again = {made.name: made.pixels for made in starter_pictures(seed)}
            yield each, again[each.name]
    if half_of("motorcycle") == half:
        yield by_name["motorcycle/0"], other_eye()
