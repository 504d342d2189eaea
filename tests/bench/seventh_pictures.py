"""A seventh set of pictures, made when the sixth had been seen and the reading of the mark had been
changed since (tiles on whole pixels, one place for each picture); `SEALED` was written down before
anything was measured on it, or looked at.

Forty-five photographs that are in none of the other sets: all that one more of the same learning
program's files holds in 512 pixels or more, those of a puzzle's that are not among them too, and
those wallpapers of another package whose EXIF names a camera; left and right half of each.

    cd var/bench && mkdir -p seventh && cd seventh
    apt-get download gcompris-qt-data palapeli-data plasma-workspace-wallpapers
    for each in *.deb; do dpkg-deb -x $each .; done

Licences, each named in its package (Debian 12): CC BY-SA 2.5, 3.0 and 4.0, GFDL 1.2, GPL 3 or later
and public domain (gcompris-qt-data 3.1-2), GFDL and public domain (palapeli-data 22.12.3-1, in the
`.desktop` file beside each), LGPL 3 (plasma-workspace-wallpapers 5.27.5-2).
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.bench.local_edits import SIDE, Named
from tests.bench.report import ROOT
from tests.bench.sixth_pictures import halves_of, in_bundle, pairs_of
from tests.bench.unseen_pictures import Pair

SEALED = "aeb4af9a39780b882e8639acd3b19ca9041e666174e37c4db59db21af96a29b5"
NAME, ATTACKED_EVERY = "seventh", 8
FOLDER = ROOT / "var" / "bench" / "seventh" / "usr" / "share"
PUZZLES = ("castle-maintenon", "cincinnati-bridge", "citrus-fruits", "panther-chameleon-female")
WALLPAPERS = (
    "BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "FallenLeaf", "Kite", "OneStandsOut",
    "Path",
)  # fmt: skip


def seal() -> str:
    """SHA-256 of every photograph and name of the set."""
    made_of = [(name, hashlib.sha256(data).hexdigest()) for name, data in _files()]
    return hashlib.sha256(json.dumps([made_of, SIDE]).encode()).hexdigest()


def pairs() -> Iterator[Pair]:
    return pairs_of(pictures(), _random("any other"), others=2)


@cache
def pictures() -> list[Named]:
    """Those that are marked: two of each photograph."""
    return [each for name, data in _files() for each in halves_of(name, data, _random)]


def _files() -> Iterator[tuple[str, bytes]]:
    yield from in_bundle(FOLDER / "gcompris-qt" / "rcc" / "erase.rcc")
    for name in PUZZLES:
        yield name, (FOLDER / "palapeli" / "collection" / f"{name}.jpg").read_bytes()
    for name in WALLPAPERS:
        images = FOLDER / "wallpapers" / name / "contents" / "images"
        yield name, (images / "2560x1600.jpg").read_bytes()


def _random(name: str) -> np.random.Generator:
    seed = hashlib.sha256(f"{NAME} {name}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed))
