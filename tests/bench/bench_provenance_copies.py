"""Rows on marks that are copied onto nearly the same, and on own pictures that are recognised.

A copy counts as ours where its mark is read and its record is found to show the same. Where even
the unmarked pictures are within the 31 bits that the fingerprint's own paper calls the same, it is
counted apart.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from provenance.marks import fingerprint, perceptual_match, watermark
from provenance.marks.perceptual_match import Original
from tests.bench import fresh_copies
from tests.bench.local_edits import Half, Named, Pixels
from tests.bench.report import Row
from tests.provenance.attacks import ATTACKS, BEYOND

MUST_PERCENT = 99.5


@dataclass(frozen=True, slots=True)
class _Marked:
    number: int
    pixels: Pixels
    original: Original

    @classmethod
    def of(cls, picture: Named, number: int, key: bytes) -> "_Marked":
        pixels = watermark.embed(picture.pixels, number, key=key)
        return cls(number, pixels, perceptual_match.original_of(pixels))


def copy_figures(half: Half, key: bytes) -> Iterator[Row]:
    pictures = fresh_copies.of_half(fresh_copies.photographs() + fresh_copies.drawings(), half)
    marked = {
        each.name: _Marked.of(each, number, key) for number, each in enumerate(pictures, start=1)
    }
    yield from _copies(half, marked, key)
    yield from _own(half, list(marked.values()), key)


def _copies(half: Half, marked: dict[str, _Marked], key: bytes) -> Iterator[Row]:
    count: Counter[str] = Counter()
    for copy in fresh_copies.copies(half):
        source = marked[copy.source.name]
        residual = source.pixels.astype(int) - copy.source.pixels
        forged = np.clip(copy.victim + copy.strength * residual, 0, 255).astype(np.uint8)
        bits = fingerprint.distance(fingerprint.pdq(copy.victim), source.original.fingerprint)
        kind = "near" if bits <= fingerprint.SAME_PICTURE_DISTANCE else "other"
        count[kind] += 1
        is_read, is_same = _judged(forged, source, key)
        count[f"{kind} read"] += is_read
        count[f"{kind} ours"] += is_same
    for kind, must in (("other", 0), ("near", None)):
        total = f"of {count[kind]}"
        name = f"fresh_copies_{{}}_{kind}_{half}"
        yield Row(name.format("read"), count[f"{kind} read"], total)
        yield Row(name.format("called_ours"), count[f"{kind} ours"], total, must=must)


def _own(half: Half, marked: list[_Marked], key: bytes) -> Iterator[Row]:
    """Of the pictures whose mark is read after an attack, those that are called ours."""
    for name, attacks, must in (("main", ATTACKS, MUST_PERCENT), ("harder", BEYOND, None)):
        judged = [
            _judged(attack(each.pixels), each, key)
            for each in marked
            for attack in attacks.values()
        ]
        read = sum(is_read for is_read, _ in judged)
        same = sum(is_same for _, is_same in judged)
        yield Row(
            f"own_called_ours_when_read_{name}_{half}", round(100 * same / read, 2), f"% of {read}",
            better="higher", must=must,
        )  # fmt: skip


def _judged(pixels: Pixels, marked: _Marked, key: bytes) -> tuple[bool, bool]:
    """Whether its mark is read, and whether its record is found to show the same."""
    found = watermark.detect(pixels, key=key)
    if found.identifier != marked.number:
        return False, False
    compared = perceptual_match.compare(pixels, marked.original, found)
    return True, compared is not None and compared.is_same
