"""A third set of pictures, which no rule of the comparison was chosen on.

`local_edits` and `fresh_copies` had both been looked at when this one was made, and `seal` written
down before anything was measured on it. Its pictures: the left and the right half of each
photograph at its own size, margins that the others cut off included; what else comes with
scikit-image; other captions and seeds of the starter model; and scenes drawn by code, each in
several versions that share their layout.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import cv2
import numpy as np
from skimage import data

from generation.starter.layout import MODEL
from tests.bench import local_edits
from tests.bench.local_edits import PHOTOGRAPHS, SIDE, Named, Pixels
from tests.bench.starter_artist import Artist
from tests.provenance.attacks import resized

SEALED = "f0a17b8c1f45ba6db5c604f3ad2c59703f02415b8c7feef441e90ac9ad860aa6"
NAME, ATTACKED_EVERY = "unseen", 2
OTHERS = ("colorwheel", "horse", "logo", "microaneurysms", "page", "text")
"""What else comes with scikit-image: figures, a page, a silhouette."""
SEEDS = (71000, 82000, 93000)
"""The first is the picture that is marked; the others draw its caption again."""
OBJECTS = (
    "lemon", "pear", "grapes", "tomato", "doughnut", "cookie", "hot dog", "candle", "hammer",
    "scissors", "clock", "camera", "car", "tractor", "sailboat", "volcano", "rainbow", "snowflake",
    "horse face", "monkey face", "chicken", "whale", "snail", "robot",
)  # fmt: skip
ROLES = ("scientist", "mechanic", "student", "office worker", "police officer", "guard")
GENDERS, TONES = ("woman", "man"), ("light", "medium-light", "medium", "medium-dark", "dark")
PEOPLE = 16
SCENES, VERSIONS = 32, 3


@dataclass(frozen=True, slots=True)
class Pair:
    """What a mark is taken from, and another picture that it is copied onto."""

    source: Named
    victim: Pixels
    kind: str


def seal() -> str:
    """SHA-256 of every name and seed that the set is made of."""
    made_of = [PHOTOGRAPHS, OTHERS, SEEDS, captions(), SCENES, VERSIONS, SIDE]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def pairs() -> Iterator[Pair]:
    """Of each picture, those nearest to it that are not the same, and one of all others."""
    halves = {each.name: each for each in photographs()}
    for name, each in halves.items():
        base, _, half = name.partition("/")
        yield Pair(each, halves[f"{base}/{1 - int(half)}"].pixels, "another part")
    for each in drawings():
        own = own_seed(each.name)
        for seed in SEEDS[1:]:
            yield Pair(each, drawn(each.name, seed + own), "drawn again")
        for kin in kin_of(each.name):
            yield Pair(each, drawn(kin, SEEDS[0] + own_seed(kin)), "another person")
            # The same seed: what is not changed by the words stays as it was drawn.
            yield Pair(each, drawn(kin, SEEDS[0] + own), "same seed")
    for number, version in product(range(SCENES), range(1, VERSIONS)):
        yield Pair(scene(number, 0), scene(number, version).pixels, "another version")
    every = pictures()
    random = _random("any other")
    for each in every:
        other = every[int(random.integers(len(every)))]
        if other.name != each.name:
            yield Pair(each, other.pixels, "any other")


def kin_of(caption: str, tones_on: int = 1) -> list[str]:
    """The same person of a tone so many further on, and of another gender."""
    if "skin tone" not in caption:
        return []
    who, tone = caption.removesuffix(" skin tone").split(": ")
    gender, role = who.split(" ", 1)
    other = GENDERS[1 - GENDERS.index(gender)]
    beside = TONES[(TONES.index(tone) + tones_on) % len(TONES)]
    return [f"{gender} {role}: {beside} skin tone", f"{other} {role}: {tone} skin tone"]


def pictures() -> list[Named]:
    """Those that are marked: 42 halves of photographs, 40 drawings, 32 scenes."""
    return photographs() + drawings() + [scene(number, 0) for number in range(SCENES)]


@cache
def photographs() -> list[Named]:
    return [
        Named(f"{name}/{half}", half_square(pixels, half, _random(f"{name}/{half}")))
        for name, pixels in _loaded()
        for half in range(2)
    ]


def _loaded() -> list[tuple[str, Pixels]]:
    known = [(name, _of_three(local_edits.loaded(name))) for name in PHOTOGRAPHS]
    return known + [(name, _of_three(_figure(name))) for name in OTHERS]


def _figure(name: str) -> Pixels:
    pixels = np.asarray(getattr(data, name)(), np.float32)
    return np.asarray(pixels * (255 if pixels.max() <= 1 else 1), np.uint8)


def _of_three(pixels: Pixels) -> Pixels:
    return np.stack([pixels] * 3, -1) if pixels.ndim == 2 else pixels[..., :3]


def half_square(pixels: Pixels, half: int, random: np.random.Generator) -> Pixels:
    """A square out of the left or the right half, some mirrored."""
    height, width = pixels.shape[:2]
    side = int(min(height, width // 2) * random.uniform(0.8, 1))
    left = half * (width // 2) + int(random.integers(width // 2 - side + 1))
    top = int(random.integers(height - side + 1))
    method = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    part = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    square = cv2.resize(part, (SIDE, SIDE), interpolation=method)
    return np.ascontiguousarray(square[:, ::-1] if random.integers(2) else square).astype(np.uint8)


def captions() -> tuple[str, ...]:
    """Objects, and people in an order of their hashes."""
    people = [
        f"{each[0]} {each[1]}: {each[2]} skin tone" for each in product(GENDERS, ROLES, TONES)
    ]
    people.sort(key=lambda each: hashlib.sha256(f"unseen {each}".encode()).digest())
    return OBJECTS + tuple(people[:PEOPLE])


@cache
def drawings() -> list[Named]:
    return [Named(caption, drawn(caption, SEEDS[0] + own_seed(caption))) for caption in captions()]


def own_seed(caption: str) -> int:
    return int.from_bytes(hashlib.sha256(caption.encode()).digest()[:2])


@cache
def _artist() -> Artist:
    return Artist(MODEL)


@cache
def drawn(caption: str, seed: int) -> Pixels:
    artist = _artist()
    made = artist.draw(caption, seed=seed, steps=artist.few_steps).pixels
    return resized(made, SIDE / made.shape[0])


@cache
def scene(number: int, version: int) -> Named:
    """Hills, a face, a room or a page: the number says what it is and in which colours, the version
    where its things lie.
    """
    kind = (_hills, _face, _room, _letters)[number % 4]
    name = f"{kind.__name__.strip('_')} {number}/{version}"
    colours = _random(f"colours {number}").integers(20, 236, (8, 3))
    big = kind(_random(name), [tuple(int(part) for part in each) for each in colours])
    return Named(name, np.asarray(cv2.resize(big, (SIDE, SIDE), interpolation=cv2.INTER_AREA)))


Colours = list[tuple[int, ...]]
BIG = 2 * SIDE


def _ground(random: np.random.Generator, above: tuple[int, ...], below: tuple[int, ...]) -> Pixels:
    """From one colour to another with a grain, as a lens leaves it."""
    share = np.linspace(0, 1, BIG)[:, None, None]
    plain = np.array(above) * (1 - share) + np.array(below) * share
    grain = cv2.resize(random.normal(0, 5, (SIDE, SIDE)).astype(np.float32), (BIG, BIG))
    return np.asarray(np.clip(plain + grain[..., None], 0, 255), np.uint8)


def _hills(random: np.random.Generator, colours: Colours) -> Pixels:
    made = _ground(random, colours[0], colours[1])
    middle = tuple(int(each) for each in random.integers(100, 500, 2))
    cv2.circle(made, middle, int(random.integers(50, 110)), colours[2], -1, cv2.LINE_AA)
    across = np.arange(0, BIG + 1, 16)
    for place in range(3):
        waves = random.normal(0, 1, 6)
        height = sum(
            wave * 70 / (turn + 1) * np.sin(across / BIG * 7 * (turn + 1) + wave * 9)
            for turn, wave in enumerate(waves)
        )
        edge = np.stack([across, 520 + 150 * place + height], 1)
        line = np.vstack([edge, [[BIG, BIG], [0, BIG]]]).astype(np.int32)
        cv2.fillPoly(made, [line], colours[3 + place], cv2.LINE_AA)
    for foot in random.integers(60, BIG - 60, (14, 2)):
        left, low = int(foot[0]), 620 + int(foot[1]) * 380 // BIG
        cv2.line(made, (left, low), (left, low - 70), colours[6], 8, cv2.LINE_AA)
        cv2.ellipse(made, (left, low - 95), (26, 52), 0, 0, 360, colours[7], -1, cv2.LINE_AA)
    return made


def _face(random: np.random.Generator, colours: Colours) -> Pixels:
    made = _ground(random, colours[0], colours[0])
    left, top = (int(each) for each in random.integers(470, 555, 2))
    wide, high = (int(each) for each in random.integers(230, 300, 2))
    cv2.ellipse(made, (left, BIG + 60), (420, 300), 0, 0, 360, colours[5], -1, cv2.LINE_AA)
    cv2.ellipse(made, (left, top - 60), (wide + 50, high + 40), 0, 0, 360, colours[1], -1)
    cv2.ellipse(made, (left, top), (wide, high), 0, 0, 360, colours[2], -1, cv2.LINE_AA)
    apart = int(random.integers(80, 130))
    for eye in (left - apart, left + apart):
        cv2.ellipse(made, (eye, top - 50), (42, 28), 0, 0, 360, (245, 245, 245), -1, cv2.LINE_AA)
        cv2.circle(made, (eye + int(random.integers(-14, 15)), top - 50), 18, colours[3], -1)
        brow = int(random.integers(-20, 21))
        cv2.line(made, (eye - 50, top - 110), (eye + 50, top - 110 + brow), colours[1], 14)
    bend = int(random.integers(20, 70))
    cv2.ellipse(made, (left, top + 110), (95, bend), 0, 10, 170, colours[4], 16, cv2.LINE_AA)
    return made


def _room(random: np.random.Generator, colours: Colours) -> Pixels:
    made = _ground(random, colours[0], colours[1])
    cv2.rectangle(made, (0, 700), (BIG, BIG), colours[2], -1)
    for plank in range(0, BIG, 64):
        cv2.line(made, (plank, 700), (plank * 2 - 512, BIG), colours[1], 3, cv2.LINE_AA)
    for place in range(9):
        left, top = int(random.integers(0, 900)), int(random.integers(60, 760))
        wide, high = (int(each) for each in random.integers(60, 260, 2))
        colour = colours[3 + place % 5]
        cv2.rectangle(made, (left, top), (left + wide, top + high), colour, -1)
        cv2.rectangle(made, (left, top), (left + wide, top + high), colours[1], 5)
        if place % 3 == 0:
            middle = (left + wide // 2, top + high // 2)
            cv2.circle(made, middle, min(wide, high) // 3, colours[7], -1, cv2.LINE_AA)
    return made


def _letters(random: np.random.Generator, colours: Colours) -> Pixels:
    made = np.full((BIG, BIG, 3), 250, np.uint8)
    cv2.rectangle(made, (0, 0), (BIG, 120), colours[0], -1)
    for line in range(15):
        word = "".join(chr(int(each)) for each in random.integers(97, 123, random.integers(8, 26)))
        cv2.putText(made, word, (60, 190 + 54 * line), 0, 1.2, (40, 40, 46), 3, cv2.LINE_AA)
    left, top = (int(each) for each in random.integers(420, 640, 2))
    cv2.rectangle(made, (left, top), (left + 320, top + 260), colours[3], -1)
    cv2.circle(made, (left + 160, top + 130), 90, colours[4], -1, cv2.LINE_AA)
    return made


def _random(name: str) -> np.random.Generator:
    seed = hashlib.sha256(f"unseen {name}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed))
