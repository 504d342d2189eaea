"""A fifth set of pictures, made when the fourth had been seen and the two rules that it led to had
been changed (the mark near the ends of the tones, and in what repeats by itself); `SEALED` was
written down before anything was measured on it, or looked at.

Its photographs are all that four wallpaper packages of Debian 12 hold, which are not part of the
project: left and right half of each. So some are drawings, and some halves hardly show a thing.

    cd var/bench && mkdir -p fifth && cd fifth
    apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds \\
        ukui-wallpapers
    for each in *.deb; do dpkg-deb -x $each .; done

Licences: CC BY 4.0, CC BY-SA 3.0 and 4.0 and CC0 (lomiri-wallpapers 20.04.0-2), GPL 2 or later and
CC BY-SA 4.0 (mate-backgrounds 1.26.0-1, of which the folder `nature`), CC BY-SA 3.0
(ukui-wallpapers 20.04.3-1.1). Besides, as in the fourth set: other captions, people and seeds of
the starter model, and scenes by a third drawing program that share up to two thirds.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.bench.fourth_pictures import BIG, Scene, drawn
from tests.bench.local_edits import SIDE, Named
from tests.bench.report import ROOT
from tests.bench.unseen_pictures import GENDERS, TONES, Pair, half_square, kin_of, own_seed

SEALED = "a62da2f5a8476bec81cdeaf5971e68de14e7b4faaaff5a7e8218660caf7b69ec"
NAME, ATTACKED_EVERY = "fifth", 8
FOLDER = ROOT / "var" / "bench" / "fifth" / "usr" / "share" / "backgrounds"
LEFT_OUT = ("mate/desktop", "mate/abstract")
"""Drawn by their makers' programs, some in several colours or sizes."""
SEEDS = (156000, 167000, 178000)
"""The first is the picture that is marked; the others draw its caption again."""
OBJECTS = (
    "peach", "cherries", "kiwi fruit", "avocado", "broccoli", "pretzel", "cupcake", "popcorn",
    "lollipop", "tent", "anchor", "helicopter", "fire engine", "ambulance", "skateboard", "drum",
    "trumpet", "trophy", "crown", "backpack", "elephant", "crab", "rose", "maple leaf",
)  # fmt: skip
ROLES = (
    "supervillain", "biking", "surfing", "swimming", "juggling", "golfing", "cartwheeling",
    "dancing",
)  # fmt: skip
PEOPLE = 10
SCENES, VERSIONS = 40, 3


def seal() -> str:
    """SHA-256 of every file, name and seed of the set, and of how its scenes are drawn."""
    files = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in _files()]
    scenes = [hashlib.sha256(scene(at, 1).pixels.tobytes()).hexdigest() for at in range(len(KINDS))]
    made_of = [files, SEEDS, captions(), SCENES, VERSIONS, SIDE, scenes]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def _files() -> list[Path]:
    every = (path for path in FOLDER.rglob("*") if path.suffix in (".jpg", ".png"))
    kept = [
        path
        for path in every
        if path.relative_to(FOLDER).parent.as_posix() not in LEFT_OUT and not path.is_symlink()
    ]
    return sorted(kept, key=lambda path: path.name)


def pairs() -> Iterator[Pair]:
    """Of each picture, those nearest to it that are not the same, and two of all others."""
    seen = {each.name: each for each in photographs()}
    for name, each in seen.items():
        base, _, half = name.partition("/")
        yield Pair(each, seen[f"{base}/{1 - int(half)}"].pixels, "another part")
    for each in drawings():
        own = own_seed(each.name)
        for seed in SEEDS[1:]:
            yield Pair(each, drawn(each.name, seed + own), "drawn again")
        for kin in kin_of(each.name):
            yield Pair(each, drawn(kin, SEEDS[0] + own_seed(kin)), "another person")
            yield Pair(each, drawn(kin, SEEDS[0] + own), "same seed")
    for number, version in product(range(SCENES), range(1, VERSIONS)):
        yield Pair(scene(number, 0), scene(number, version).pixels, "another version")
    every = pictures()
    random = _random("any other")
    for each in every:
        for at in random.integers(len(every), size=2):
            if every[at].name.partition("/")[0] != each.name.partition("/")[0]:
                yield Pair(each, every[at].pixels, "any other")


def pictures() -> list[Named]:
    """Those that are marked: two of each photograph, 34 drawings, 40 scenes."""
    return photographs() + drawings() + [scene(number, 0) for number in range(SCENES)]


@cache
def photographs() -> list[Named]:
    made = []
    for path in _files():
        with Image.open(path) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            pixels = np.asarray(image.convert("RGB"), np.uint8)
        for half in range(2):
            name = f"{path.stem}/{half}"
            made.append(Named(name, half_square(pixels, half, _random(name))))
    return made


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
def scene(number: int, version: int) -> Named:
    """A departure board, a poster, a game, a desk or a cloth: its number says what all versions
    share, the version all else.
    """
    kind = KINDS[number % len(KINDS)]
    name = f"{kind.__name__.strip('_')} {number}/{version}"
    canvas = Image.new("RGB", (BIG, BIG), "white")
    kind(ImageDraw.Draw(canvas), _random(f"shared {number}"), _random(name))
    small = canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return Named(name, np.asarray(small, np.uint8))


def _colour(random: np.random.Generator, low: int = 20, high: int = 236) -> tuple[int, int, int]:
    red, green, blue = (int(each) for each in random.integers(low, high, 3))
    return red, green, blue


def _word(
    draw: ImageDraw.ImageDraw, random: np.random.Generator, at: tuple[int, int], high: int, ink: str
) -> None:
    """Strokes that look like one word."""
    left, top = at
    for _ in range(int(random.integers(4, 11))):
        wide = int(random.integers(high // 4, high // 2))
        draw.line((left, top, left, top + high), ink, 5)
        draw.line(
            (left, top + int(random.integers(high)), left + wide, top + int(random.integers(high))),
            ink, 5,
        )  # fmt: skip
        left += wide + high // 5


def _departures(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same black board, head and places; other times, tracks and notes."""
    draw.rectangle((0, 0, BIG, BIG), (8, 9, 12))
    draw.rectangle((0, 0, BIG, 120), _colour(shared, 20, 120))
    for column in (40, 300, 720):
        _word(draw, shared, (column, 40), 44, "white")
    for line in range(11):
        top = 150 + 78 * line
        draw.line((20, top + 64, BIG - 20, top + 64), (52, 54, 60), 3)
        _word(draw, shared, (250, top), 40, "orange")
        _word(draw, own, (36, top), 40, "white")
        if own.integers(2):
            draw.rectangle((700, top - 4, 980, top + 52), _colour(own))


def _poster(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same frame, title and small print on white; another figure."""
    stripe = _colour(shared)
    for at in range(0, BIG, 48):
        for box in ((at, 0, at + 24, 70), (at, BIG - 70, at + 24, BIG)):
            draw.rectangle(box, stripe)
    for line in range(2):
        for word in range(3):
            _word(draw, shared, (110 + 300 * word, 110 + 90 * line), 64, "black")
    for line in range(5):
        for word in range(4):
            _word(draw, shared, (70 + 230 * word, 740 + 42 * line), 26, "dimgray")
    for _ in range(7):
        left, top = int(own.integers(120, 720)), int(own.integers(310, 560))
        wide, high = (int(each) for each in own.integers(80, 260, 2))
        shape = (draw.rectangle, draw.ellipse)[int(own.integers(2))]
        shape((left, top, min(left + wide, 950), min(top + high, 710)), fill=_colour(own))


def _game(draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator) -> None:
    """The same sky, hills and ground of blocks; other ledges, coins and beasts."""
    sky, hill, block = _colour(shared, 120, 236), _colour(shared), _colour(shared)
    draw.rectangle((0, 0, BIG, BIG), sky)
    for left in shared.integers(-100, BIG - 100, 7):
        tall = int(shared.integers(120, 420))
        draw.ellipse((int(left), 830 - tall, int(left) + 330, 830 + tall), hill)
    for row, column in product(range(4), range(16)):
        left, top = 64 * column, 768 + 64 * row
        draw.rectangle((left, top, left + 60, top + 60), block, (30, 26, 24), 4)
    for _ in range(6):
        left, top = 64 * int(own.integers(14)), 64 * int(own.integers(2, 11))
        draw.rectangle((left, top, left + 190, top + 58), _colour(own), (30, 26, 24), 4)
        draw.ellipse((left + 60, top - 60, left + 110, top - 6), (250, 210, 40), (120, 90, 10), 4)
    for left in own.integers(0, BIG - 100, 4):
        draw.ellipse((int(left), 690, int(left) + 96, 770), _colour(own), "black", 5)


def _desk(draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator) -> None:
    """The same wood, keyboard and mat; other papers, cups and pens."""
    wood = _colour(shared, 90, 190)
    for line in range(0, BIG, 6):
        shade = int(shared.integers(-22, 23))
        tone = tuple(max(0, min(255, part + shade)) for part in wood)
        draw.rectangle((0, line, BIG, line + 6), tone)
    draw.rounded_rectangle((80, 600, 700, 940), 24, (42, 44, 50))
    for row, column in product(range(5), range(12)):
        left, top = 100 + 49 * column, 620 + 60 * row
        draw.rounded_rectangle((left, top, left + 42, top + 50), 6, _colour(shared, 90, 230))
    for _ in range(4):
        left, top = (int(each) for each in own.integers(10, 620, 2))
        draw.rectangle((left, top, left + 260, top + 330), "white", (150, 150, 150), 2)
        for line in range(6):
            _word(draw, own, (left + 20, top + 24 + 48 * line), 24, "navy")
    for _ in range(3):
        left, top = (int(each) for each in own.integers(20, 860, 2))
        draw.ellipse((left, top, left + 130, top + 130), _colour(own), "black", 6)


def _cloth(
    draw: ImageDraw.ImageDraw, shared: np.random.Generator, own: np.random.Generator
) -> None:
    """The same weave; other badges sewn on it."""
    period = int(shared.choice([48, 64, 96, 112, 192]))
    threads = [_colour(shared) for _ in range(4)]
    draw.rectangle((0, 0, BIG, BIG), threads[0])
    for at in range(0, BIG, period):
        draw.rectangle((at, 0, at + period // 3, BIG), threads[1])
        draw.rectangle((0, at, BIG, at + period // 3), threads[2])
        draw.line((at, 0, at, BIG), threads[3], 6)
    for _ in range(9):
        left, top = (int(each) for each in own.integers(-40, BIG - 120, 2))
        side = int(own.integers(110, 260))
        shape = (draw.rectangle, draw.ellipse)[int(own.integers(2))]
        shape((left, top, left + side, top + side), fill=_colour(own), outline="black", width=6)
        _word(draw, own, (left + 20, top + side // 2), 34, "white")


KINDS: tuple[Scene, ...] = (_departures, _poster, _game, _desk, _cloth)


def _random(name: str) -> np.random.Generator:
    seed = hashlib.sha256(f"{NAME} {name}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed))
