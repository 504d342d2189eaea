"""A second set of pictures, and of marks copied onto others that are nearly theirs.

Made when both halves of the first set (`local_edits`) had been looked at: a rule that is to be told
of here was chosen on "chosen" alone, before anybody saw a figure of "sealed". Nothing of the first
set is in it: four other places of each photograph, other captions, other seeds. What a mark is
copied onto is mostly as near as the starter model can draw: the same caption again, the same person
with another skin tone or of another gender; each as it is, grey, and in the record's own colours.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import cv2
import numpy as np

from generation.starter.layout import MODEL
from tests.bench import local_edits
from tests.bench.local_edits import PHOTOGRAPHS, SIDE, Half, Named, Pixels
from tests.bench.starter_artist import Artist
from tests.provenance.attacks import resized

PLACES = 4
SEEDS = (4000, 5000, 6000)
"""The first is the picture that is marked; the others draw its caption again."""
OBJECTS = (
    "green apple", "banana", "strawberry", "carrot", "mushroom", "hamburger", "teapot",
    "soccer ball", "balloon", "key", "light bulb", "book", "bell", "bicycle", "bus", "airplane",
    "snowman", "cactus", "sunflower", "rabbit face", "bear", "owl", "turtle", "butterfly",
    "smiling face with sunglasses", "angry face", "sleeping face", "red heart",
)  # fmt: skip
ROLES = ("teacher", "farmer", "singer", "pilot", "firefighter", "detective", "judge", "artist")
GENDERS = ("woman", "man")
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
PEOPLE = 20
Disguise = Callable[[Pixels, Pixels], Pixels]


@dataclass(frozen=True, slots=True)
class Copy:
    """The mark of `source` is copied onto `victim`, so many times as strong."""

    source: Named
    victim: Pixels
    strength: int
    kind: str


def half_of(name: str) -> Half:
    """By the SHA-256 of its own; a person is in one half in all tones and genders."""
    kind = name.partition("/")[0]
    if "skin tone" in name:
        kind = name.partition(":")[0].partition(" ")[2]
    return "sealed" if hashlib.sha256(f"again {kind}".encode()).digest()[0] % 2 else "chosen"


@cache
def photographs() -> list[Named]:
    """Four pictures of each photograph, one out of each quarter, some mirrored."""
    return [
        Named(f"{name}/{place}", _window(local_edits.whole(name), f"{name}/{place}", place))
        for name in PHOTOGRAPHS
        for place in range(PLACES)
    ]


def _window(pixels: Pixels, name: str, place: int) -> Pixels:
    random = _random(name)
    quarter, side = SIDE // 2, int(random.integers(SIDE * 3 // 8, SIDE // 2))
    left = place % 2 * quarter + int(random.integers(quarter - side + 1))
    top = place // 2 * quarter + int(random.integers(quarter - side + 1))
    part = cv2.resize(
        np.ascontiguousarray(pixels[top : top + side, left : left + side]),
        (SIDE, SIDE), interpolation=cv2.INTER_CUBIC,
    )  # fmt: skip
    return np.ascontiguousarray(part[:, ::-1] if random.integers(2) else part).astype(np.uint8)


def captions() -> tuple[str, ...]:
    """Objects, and people of two genders and five tones in an order of their hashes."""
    everybody = product(GENDERS, ROLES, TONES)
    people = [f"{gender} {role}: {tone} skin tone" for gender, role, tone in everybody]
    people.sort(key=lambda each: hashlib.sha256(each.encode()).digest())
    return OBJECTS + tuple(people[:PEOPLE])


@cache
def drawings(seed: int = SEEDS[0]) -> list[Named]:
    """Forty-eight pictures by the starter model at its quick pace."""
    return [Named(caption, _drawn(caption, seed)) for caption in captions()]


@cache
def _artist() -> Artist:
    return Artist(MODEL)


@cache
def _drawn(caption: str, seed: int) -> Pixels:
    own = int.from_bytes(hashlib.sha256(caption.encode()).digest()[:2])
    artist = _artist()
    made = artist.draw(caption, seed=seed + own, steps=artist.few_steps).pixels
    return resized(made, SIDE / made.shape[0])


def of_half(pictures: list[Named], half: Half) -> list[Named]:
    return [each for each in pictures if half_of(each.name) == half]


def copies(half: Half) -> Iterator[Copy]:
    """Every victim as it is, once and twice as strong, and in each disguise."""
    for number, (kind, source, victim) in enumerate(_pairs(half)):
        yield Copy(source, victim, 2 - number % 2, f"{kind}, plain")
        for name, disguise in DISGUISES.items():
            yield Copy(source, disguise(victim, source.pixels), 1 + number % 2, f"{kind}, {name}")


def _pairs(half: Half) -> Iterator[tuple[str, Named, Pixels]]:
    seen, drawn = of_half(photographs(), half), of_half(drawings(), half)
    for each in seen:
        base = each.name.partition("/")[0]
        yield from (
            ("another part", each, other.pixels)
            for other in seen
            if other.name != each.name and other.name.startswith(f"{base}/")
        )
    for each in drawn:
        yield from (("drawn again", each, _drawn(each.name, seed)) for seed in SEEDS[1:])
        yield from (("another person", each, _drawn(name, SEEDS[0])) for name in _kin(each.name))
        # The same seed: what is not changed by the words stays as it was drawn.
        own = int.from_bytes(hashlib.sha256(each.name.encode()).digest()[:2])
        yield from (
            ("same seed", each, _drawn_with(name, SEEDS[0] + own)) for name in _kin(each.name)
        )
    every = seen + drawn
    random = np.random.default_rng(11)
    for _ in range(len(every)):
        source, victim = random.choice(len(every), 2, replace=False)
        yield "any other", every[source], every[victim].pixels


def _drawn_with(caption: str, seed: int) -> Pixels:
    own = int.from_bytes(hashlib.sha256(caption.encode()).digest()[:2])
    return _drawn(caption, seed - own)


def _kin(caption: str) -> list[str]:
    """The same person of another tone and of another gender."""
    if "skin tone" not in caption:
        return []
    who, tone = caption.removesuffix(" skin tone").split(": ")
    gender, role = who.split(" ")
    other = GENDERS[1 - GENDERS.index(gender)]
    beside = TONES[(TONES.index(tone) + 1) % len(TONES)]
    return [f"{gender} {role}: {beside} skin tone", f"{other} {role}: {tone} skin tone"]


def _random(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]))


def _plain(victim: Pixels, source: Pixels) -> Pixels:
    return victim


def _grey(victim: Pixels, source: Pixels) -> Pixels:
    grey = cv2.cvtColor(victim, cv2.COLOR_RGB2GRAY)
    return np.asarray(np.repeat(grey[..., None], 3, axis=2), np.uint8)


def _in_colours(victim: Pixels, source: Pixels) -> Pixels:
    """With the mean and the spread of every channel of the source."""
    theirs, ours = victim.astype(np.float32), source.astype(np.float32)
    gain = ours.std((0, 1)) / (theirs.std((0, 1)) + 1e-3)
    moved = (theirs - theirs.mean((0, 1))) * gain + ours.mean((0, 1))
    return np.asarray(np.clip(np.rint(moved), 0, 255), np.uint8)


DISGUISES: dict[str, Disguise] = {"plain": _plain, "grey": _grey, "in its colours": _in_colours}
