"""A sixth set of pictures, made when the fifth had been seen and two rules had been changed since
(what is asked of pictures that show next to nothing, and where such a picture is laid); `SEALED`
was written down before anything was measured on it, or looked at.

Photographs alone, of things: monuments, beasts of the wild and of the farm, all that three of a
learning program's files hold in 512 pixels or more, left and right half of each.

    cd var/bench && mkdir -p sixth && cd sixth
    apt-get download gcompris-qt-data && dpkg-deb -x gcompris-qt-data*.deb .

Licences, each named in the package (gcompris-qt-data 3.1-2, Debian 12): CC BY, CC BY-SA, GFDL, GPL
3 or later and public domain.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bench.local_edits import SIDE, Named
from tests.bench.report import ROOT
from tests.bench.unseen_pictures import Pair, half_square

SEALED = "59ef65dce65c236f3b7ed4ed437ce2dd43e08d7041e5bd8f7691d3fb97c7b03b"
NAME, ATTACKED_EVERY = "sixth", 8
FOLDER = ROOT / "var" / "bench" / "sixth" / "usr" / "share" / "gcompris-qt" / "rcc"
BUNDLES = ("explore_monuments", "explore_world_animals", "explore_farm_animals")


def seal() -> str:
    """SHA-256 of every photograph and name of the set."""
    made_of = [(name, hashlib.sha256(data).hexdigest()) for name, data in _files()]
    return hashlib.sha256(json.dumps([made_of, SIDE]).encode()).hexdigest()


def pairs() -> Iterator[Pair]:
    return pairs_of(pictures(), _random("any other"))


def pairs_of(every: list[Named], random: np.random.Generator, others: int = 1) -> Iterator[Pair]:
    """Of each half, its photograph's other half, and other photographs."""
    for at, each in enumerate(every):
        yield Pair(each, every[at ^ 1].pixels, "another part")
        for _ in range(others):
            other = every[int(random.integers(len(every)))]
            if other.name.partition("/")[0] != each.name.partition("/")[0]:
                yield Pair(each, other.pixels, "any other")


@cache
def pictures() -> list[Named]:
    """Those that are marked: two of each photograph."""
    return [each for name, data in _files() for each in halves_of(name, data, _random)]


def halves_of(
    name: str, data: bytes, random: Callable[[str], np.random.Generator]
) -> Iterator[Named]:
    """The left and the right half of a photograph, each by its own chance."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"), np.uint8)
    for half in range(2):
        called = f"{name}/{half}"
        yield Named(called, half_square(pixels, half, random(called)))


def _files() -> Iterator[tuple[str, bytes]]:
    for bundle in BUNDLES:
        yield from in_bundle(FOLDER / f"{bundle}.rcc")


def in_bundle(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every WebP that is large enough, out of Qt's bundle of files, by its place in it."""
    held, at = path.read_bytes(), 0
    while (at := held.find(b"RIFF", at)) >= 0:
        length = 8 + int.from_bytes(held[at + 4 : at + 8], "little")
        data = held[at : at + length]
        at += length
        if data[8:12] != b"WEBP":  # a sound
            continue
        with Image.open(io.BytesIO(data)) as image:
            if min(image.size) >= SIDE:
                yield f"{path.stem} {at}", data


def _random(name: str) -> np.random.Generator:
    seed = hashlib.sha256(f"{NAME} {name}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed))
