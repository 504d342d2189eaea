"""An eighth set of pictures, made when the seventh had been seen and one more rule was made (a mark
that lies beside its original too, ADR 166); `SEALED` was written down before anything was measured
on it, or looked at.

Forty-four photographs that are in none of the other sets: all in JPEG of 1024 by 512 pixels or
more that twelve packages of web page themes hold, but those that a program (features that both
show in the same arrangement) took for another cut of one that stood before; left and right half of
each.

    cd var/bench && mkdir -p eighth && cd eighth
    for each in argon-design-system-free@1.2.0 material-kit@2.0.4 material-kit-react@1.10.0 \\
        paper-kit-2@2.1.0 startbootstrap-{agency@7.0.12,business-casual@7.0.9,clean-blog@6.0.9} \\
        startbootstrap-{coming-soon@6.0.7,creative@7.0.7,grayscale@7.0.6,landing-page@6.0.6} \\
        startbootstrap-stylish-portfolio@6.0.6; do npm pack $each; done
    for each in *.tgz; do
        mkdir ${each%.tgz} && tar xf $each -C ${each%.tgz} --strip-components=1
    done

Licence: each package says MIT.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.bench.local_edits import SIDE, Named
from tests.bench.report import ROOT
from tests.bench.sixth_pictures import halves_of, pairs_of
from tests.bench.unseen_pictures import Pair

SEALED = "2648bda405a7acfe12374b4f885312bbce57b746d314e75b0d1360094a1d5161"
NAME, ATTACKED_EVERY = "eighth", 8
FOLDER = ROOT / "var" / "bench" / "eighth"
PHOTOGRAPHS = {
    "argon-design-system-free-1.2.0/assets/img": (
        "faces/alejandro-escamilla", "faces/ali-pazani", "faces/atikh", "pages/mohamed",
        "theme/img-1-1200x1000", "theme/img-2-1200x1000", "theme/landing",
    ),
    "material-kit-2.0.4/assets/img": (
        "bg2", "bg3", "bg7", "city-profile", "city", "landing",
    ),
    "material-kit-react-1.10.0/src/assets/img": (
        "bg4", "bg7", "landing-bg", "profile-bg", "profile",
    ),
    "paper-kit-2-2.1.0/assets/img": (
        "antoine-barres", "bruno-abatti", "daniel-olahh", "daniel-olahs", "fabio-mangione",
        "federico-beccari", "ilya-yakover", "joshua-stannard", "login-image", "soroush-karimi",
        "uriel-soberanes",
    ),
    "startbootstrap-agency-7.0.12/dist/assets/img": ("header-bg",),
    "startbootstrap-business-casual-7.0.9/dist/assets/img": ("about", "bg", "intro"),
    "startbootstrap-clean-blog-6.0.9/dist/assets/img": (
        "about-bg", "contact-bg", "home-bg", "post-bg",
    ),
    "startbootstrap-coming-soon-6.0.7/dist/assets/img": ("bg-mobile-fallback",),
    "startbootstrap-creative-7.0.7/dist/assets/img": ("bg-masthead",),
    "startbootstrap-grayscale-7.0.6/dist/assets/img": ("bg-masthead", "bg-signup"),
    "startbootstrap-landing-page-6.0.6/dist/assets/img": ("bg-masthead",),
    "startbootstrap-stylish-portfolio-6.0.6/dist/assets/img": ("bg-callout", "bg-masthead"),
}  # fmt: skip


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
    for folder, names in PHOTOGRAPHS.items():
        package = folder.partition("/")[0]
        for name in names:
            called = f"{package} {name.rpartition('/')[2]}"
            yield called, (FOLDER / folder / f"{name}.jpg").read_bytes()


def _random(name: str) -> np.random.Generator:
    seed = hashlib.sha256(f"{NAME} {name}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed))
