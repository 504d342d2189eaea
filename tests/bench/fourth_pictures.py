"""A fourth set of pictures, made when the third had been seen and before the rule on where the mark
lies (ADR 120) was measured; `SEALED` was written down first.

Its pictures: the four quarters of photographs that are in no other set (C2PA's public test files,
which lie beside the project and are not part of it); captions, people and seeds of the starter
model that no other set has; and scenes drawn by another program, in versions that share still more
than the third set's do: a wall, a frame, a street plan, half of a sky.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

import cv2
import numpy as np
from PIL import Image, ImageDraw

from generation.starter.layout import MODEL
from tests.bench.local_edits import SIDE, Named, Pixels
from tests.bench.report import ROOT
from tests.bench.starter_artist import Artist
from tests.bench.unseen_pictures import GENDERS, TONES, Pair, kin_of, own_seed
from tests.provenance.attacks import resized

SEALED = "becfa8c9c29950ae97b8a2567c3d7e3ef449e523c9079bcc4d228611df55d4c0"
NAME, ATTACKED_EVERY = "fourth", 8
FOLDER = ROOT / ".." / "shared" / "vectors" / "c2pa-public-testfiles" / "image" / "jpeg"
PHOTOGRAPHS = (
    "adobe-20220124-A.jpg", "adobe-20220124-I.jpg", "nikon-20221019-building.jpeg",
    "truepic-20230212-camera.jpg", "truepic-20230212-landscape.jpg", "truepic-20230212-library.jpg",
)  # fmt: skip
SEEDS = (123000, 134000, 145000)
"""The first is the picture that is marked; the others draw its caption again."""
OBJECTS = (
    "orange", "watermelon", "bread", "cheese", "egg", "cup", "chair", "bed", "door", "telephone",
    "television", "truck", "train", "ship", "sun", "cloud", "duck", "pig face",
)  # fmt: skip
ROLES = (
    "construction worker", "factory worker", "technologist", "fairy", "elf", "mage", "superhero",
    "vampire",
)  # fmt: skip
PEOPLE = 10
SCENES, VERSIONS = 40, 3


def seal() -> str:
    """SHA-256 of every name and seed that the set is made of, and of how its scenes are drawn."""
    drawn = [hashlib.sha256(scene(at, 1).pixels.tobytes()).hexdigest() for at in range(len(KINDS))]
    made_of = [PHOTOGRAPHS, SEEDS, captions(), SCENES, VERSIONS, SIDE, drawn]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def pairs() -> Iterator[Pair]:
    """Of each picture, those nearest to it that are not the same, and one of all others."""
    for each in photographs():
        base, _, place = each.name.partition("/")
        for step in (1, 2):
            beside = f"{base}/{(int(place) + step) % 4}"
            yield Pair(each, _by_name(beside).pixels, "another part")
    for each in drawings():
        own = own_seed(each.name)
        for seed in SEEDS[1:]:
            yield Pair(each, drawn(each.name, seed + own), "drawn again")
        for kin in kin_of(each.name, tones_on=2):
            yield Pair(each, drawn(kin, SEEDS[0] + own_seed(kin)), "another person")
            yield Pair(each, drawn(kin, SEEDS[0] + own), "same seed")
    for number, version in product(range(SCENES), range(1, VERSIONS)):
        yield Pair(scene(number, 0), scene(number, version).pixels, "another version")
    every = pictures()
    random = _random("any other")
    for each in every:
        other = every[int(random.integers(len(every)))]
        if other.name != each.name:
            yield Pair(each, other.pixels, "any other")


def pictures() -> list[Named]:
    """Those that are marked: 24 parts of photographs, 28 drawings, 40 scenes."""
    return photographs() + drawings() + [scene(number, 0) for number in range(SCENES)]


@cache
def photographs() -> list[Named]:
    return [
        Named(f"{name}/{place}", _quarter(_loaded(name), f"{name}/{place}", place))
        for name in PHOTOGRAPHS
        for place in range(4)
    ]


def _by_name(name: str) -> Named:
    return next(each for each in photographs() if each.name == name)


@cache
def _loaded(name: str) -> Pixels:
    with Image.open(FOLDER / name) as image:
        image.draft("RGB", (1024, 1024))
        return np.asarray(image.convert("RGB"), np.uint8)


def _quarter(pixels: Pixels, name: str, place: int) -> Pixels:
    """A square out of a quarter, some mirrored."""
    random = _random(name)
    height, width = (side // 2 for side in pixels.shape[:2])
    side = int(min(height, width) * random.uniform(0.8, 1))
    left = place % 2 * width + int(random.integers(width - side + 1))
    top = place // 2 * height + int(random.integers(height - side + 1))
    method = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    part = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    square = cv2.resize(part, (SIDE, SIDE), interpolation=method)
    return np.ascontiguousarray(square[:, ::-1] if random.integers(2) else square).astype(np.uint8)


def captions() -> tuple[str, ...]:
    """Objects, and people in an order of their hashes."""
    people = [
        f"{each[0]} {each[1]}: {each[2]} skin tone" for each in product(GENDERS, ROLES, TONES)
    ]
    people.sort(key=lambda each: hashlib.sha256(f"{NAME} {each}".encode()).digest())
    return OBJECTS + tuple(people[:PEOPLE])


@cache
def drawings() -> list[Named]:
    return [Named(caption, drawn(caption, SEEDS[0] + own_seed(caption))) for caption in captions()]


@cache
def _artist() -> Artist:
    return Artist(MODEL)


@cache
def drawn(caption: str, seed: int) -> Pixels:
    artist = _artist()
    made = artist.draw(caption, seed=seed, steps=artist.few_steps).pixels
    return resized(made, SIDE / made.shape[0])


BIG = 2 * SIDE
Colour = tuple[int, int, int]
Scene = Callable[[ImageDraw.ImageDraw, np.random.Generator, np.random.Generator], None]


@cache
def scene(number: int, version: int) -> Named:
    """A chart, a street plan, a hillside, a kitchen wall or a house front: its number says what all
    versions share, the version all else.
    """
    kind = KINDS[number % len(KINDS)]
    name = f"{kind.__name__.strip('_')} {number}/{version}"
    canvas = Image.new("RGB", (BIG, BIG), "white")
    kind(ImageDraw.Draw(canvas), _random(f"shared {number}"), _random(name))
    small = canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return Named(name, np.asarray(small, np.uint8))


def _colour(random: np.random.Generator) -> Colour:
    red, green, blue = (int(each) for each in random.integers(20, 236, 3))
    return red, green, blue


def _chart(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same window, menu and axes around other figures."""
    draw.rectangle((0, 0, BIG, 110), _colour(shared))
    draw.rectangle((0, 110, 220, BIG), (238, 240, 244))
    for line in range(16):
        wide = int(shared.integers(60, 160))
        draw.rectangle((30, 150 + 50 * line, 30 + wide, 172 + 50 * line), _colour(shared))
    for line in range(9):
        draw.line((260, 200 + 85 * line, 980, 200 + 85 * line), (205, 208, 214), 3)
    for series in range(3):
        heights = np.clip(540 + np.cumsum(own.normal(0, 70, 10)), 210, 870)
        points = [(270 + 78 * at, int(height)) for at, height in enumerate(heights)]
        draw.line(points, _colour(shared), 12 - 3 * series, joint="curve")
    for bar in range(8):
        top = int(own.integers(600, 870))
        draw.rectangle((290 + 85 * bar, top, 340 + 85 * bar, 880), _colour(own))


def _street_plan(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same streets and river, other houses and parks."""
    draw.rectangle((0, 0, BIG, BIG), (236, 233, 226))
    for block in range(60):
        left, top = (int(each) for each in own.integers(0, BIG, 2))
        wide, high = (int(each) for each in own.integers(30, 130, 2))
        tone = (176, 208, 160) if block % 6 == 0 else (214, 205, 192)
        draw.rectangle((left, top, left + wide, top + high), tone, (160, 150, 140), 3)
    bends = [(at * 128, int(each)) for at, each in enumerate(shared.integers(200, 800, 9))]
    draw.line(bends, (150, 190, 226), 70, joint="curve")
    for _ in range(14):
        start, end = (int(each) for each in shared.integers(0, BIG, 2))
        way = (start, 0, end, BIG) if shared.integers(2) else (0, start, BIG, end)
        draw.line(way, (150, 146, 140), 26)
        draw.line(way, (255, 252, 236), 18)


def _hillside(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same clouds over other hills, woods and fields."""
    for line in range(BIG):
        draw.line((0, line, BIG, line), (110 + line // 10, 150 + line // 12, 225))
    for _ in range(70):
        left, top = int(shared.integers(-60, BIG)), int(shared.integers(0, 420))
        wide, high = int(shared.integers(50, 200)), int(shared.integers(20, 70))
        grey = int(shared.integers(205, 255))
        draw.ellipse((left, top, left + wide, top + high), (grey, grey, min(255, grey + 8)))
    across = np.arange(0, BIG + 1, 8)
    for ridge in range(5):
        wave = np.zeros(len(across))
        for _ in range(4):
            wave += own.uniform(10, 60) * np.sin(across / own.uniform(60, 300))
        edge = [
            (int(at), int(430 + 110 * ridge + high)) for at, high in zip(across, wave, strict=True)
        ]
        green = tuple(int(each) for each in own.integers(40, 150, 3))
        draw.polygon([*edge, (BIG, BIG), (0, BIG)], green)
        for tree in range(25):
            at, foot = edge[int(own.integers(len(edge)))]
            tall = 20 + 8 * ridge + tree % 20
            draw.polygon(
                [(at - tall // 3, foot), (at + tall // 3, foot), (at, foot - tall)], (30, 60, 35)
            )


def _kitchen_wall(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same tiles and shelves, other things on them."""
    tone, grout = _colour(shared), _colour(shared)
    draw.rectangle((0, 0, BIG, BIG), grout)
    for row, column in product(range(16), range(16)):
        shade = int(shared.integers(-18, 19))
        tile = tuple(max(0, min(255, each + shade)) for each in tone)
        draw.rectangle((column * 64 + 4, row * 64 + 4, column * 64 + 60, row * 64 + 60), tile)
    for shelf in (380, 700, 1000):
        draw.rectangle((0, shelf, BIG, shelf + 26), _colour(shared))
        left = int(own.integers(10, 90))
        while left < BIG - 80:
            wide, high = int(own.integers(50, 150)), int(own.integers(80, 260))
            box = (left, shelf - high, left + wide, shelf)
            shape = (draw.rectangle, draw.ellipse, draw.rounded_rectangle)[int(own.integers(3))]
            shape(box, fill=_colour(own), outline=(40, 36, 34), width=5)
            left += wide + int(own.integers(10, 120))


def _house_front(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same house, with other windows lit, other curtains, signs and people before it."""
    draw.rectangle((0, 0, BIG, BIG), _colour(shared))
    for row in range(64):
        for column in range(17):
            left = column * 64 - (row % 2) * 32
            draw.rectangle((left, row * 16, left + 62, row * 16 + 13), outline=_colour(shared))
    for row, column in product(range(4), range(5)):
        left, top = 60 + 190 * column, 50 + 190 * row
        draw.rectangle((left, top, left + 130, top + 140), _colour(own), (250, 250, 245), 8)
        if own.integers(2):
            draw.rectangle((left + 8, top + 8, left + 60, top + 132), _colour(own))
    draw.rectangle((0, 830, BIG, BIG), (120, 118, 116))
    for _ in range(6):
        at, tall = int(own.integers(40, BIG - 40)), int(own.integers(120, 190))
        draw.ellipse((at - 24, 960 - tall, at + 24, 1008 - tall), (214, 170, 140))
        draw.rounded_rectangle((at - 36, 1008 - tall, at + 36, 1000), 20, _colour(own))


KINDS: tuple[Scene, ...] = (_chart, _street_plan, _hillside, _kitchen_wall, _house_front)


def _random(name: str) -> np.random.Generator:
    seed = hashlib.sha256(f"{NAME} {name}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed))
