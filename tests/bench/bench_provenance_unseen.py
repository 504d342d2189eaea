"""Rows on the sealed sets of pictures, from the third on: copied marks, edits, turns and crops.

What each picture was judged to be is kept as a line, so that a run that was stopped goes on where
it was. Intervals are Wilson's at 95 %.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from provenance.marks import fingerprint, perceptual_match, watermark
from provenance.marks.perceptual_match import Original
from tests.bench import local_edits
from tests.bench.fresh_copies import DISGUISES
from tests.bench.local_edits import TARGETED, Named, Pixels
from tests.bench.report import ROOT, Row
from tests.bench.unseen_pictures import Pair
from tests.provenance.attacks import ATTACKS, jpeg, resized

FOLDER = ROOT / "var" / "bench"
KEY = b"the key of the third set, always"
"""One for all runs: what goes on where it was has the same marks."""
MUST_PERCENT = 98.0
CROPS = 4
"""Pieces that somebody cuts out of each second picture, from a third to nine tenths of its side."""
Told = dict[str, str]
Judge = Callable[[], Told]


class SealedSet(Protocol):
    """A module of pictures that are marked, and of pairs that a mark is copied between."""

    NAME: str
    SEALED: str
    ATTACKED_EVERY: int
    """Every so many pictures stand the main attacks."""

    def seal(self) -> str: ...
    def pictures(self) -> list[Named]: ...
    def pairs(self) -> Iterator[Pair]: ...


def unseen_figures(sealed: SealedSet) -> Iterator[Row]:
    """Raises ValueError where the set is not the one that was sealed."""
    if sealed.seal() != sealed.SEALED:
        raise ValueError(f"The set “{sealed.NAME}” is not the one whose seal was written down.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{sealed.NAME}.jsonl"
    known = _known(path)
    with path.open("a") as kept:
        for name, judge in _all(sealed):
            if name not in known:
                known[name] = judge()
                kept.write(json.dumps([name, known[name]]) + "\n")
                kept.flush()
    yield from _rows(sealed.NAME, list(known.values()))


def _known(path: Path) -> dict[str, Told]:
    return dict(map(json.loads, path.read_text().splitlines())) if path.exists() else {}


def _all(sealed: SealedSet) -> Iterator[tuple[str, Judge]]:
    """Every judgement by its name, none of them made yet."""
    marks = _Marks(sealed.pictures())
    for number, pair in enumerate(sealed.pairs()):
        for place, (disguise, change) in enumerate(DISGUISES.items()):
            strength = 1 + (number + place) % 2
            yield f"copy {number} {disguise}", marks.copied(pair, change, strength)
        yield f"copy {number} again", marks.copied(pair, DISGUISES["plain"], 2 - number % 2)
    for name in list(marks.numbers)[::2]:
        for edit in TARGETED:
            yield f"edit {edit} {name}", marks.edited(name, edit)
    for crop, name in product(range(CROPS), list(marks.numbers)[1::2]):
        yield f"crop {crop} {name}", marks.cropped(name, crop)
    for attack, name in product(ATTACKS, list(marks.numbers)[:: sealed.ATTACKED_EVERY]):
        yield f"attack {attack} {name}", marks.attacked(name, attack)


class _Marks:
    """The pictures of the set, each marked with its number."""

    def __init__(self, pictures: list[Named]) -> None:
        self._pictures = pictures
        self.numbers = {each.name: number for number, each in enumerate(pictures, start=1)}
        self._of = cache(self._marked)

    def _marked(self, name: str) -> tuple[Pixels, Original]:
        number = self.numbers[name]
        pixels = watermark.embed(self._pictures[number - 1].pixels, number, key=KEY)
        return pixels, perceptual_match.original_of(pixels)

    def copied(
        self, pair: Pair, change: Callable[[Pixels, Pixels], Pixels], strength: int
    ) -> Judge:
        def judge() -> Told:
            pixels, original = self._of(pair.source.name)
            victim = change(pair.victim, pair.source.pixels)
            residual = pixels.astype(int) - pair.source.pixels
            forged = np.clip(victim + strength * residual, 0, 255).astype(np.uint8)
            bits = fingerprint.distance(fingerprint.pdq(pair.victim), original.fingerprint)
            is_near = bits <= fingerprint.SAME_PICTURE_DISTANCE
            kind = "copies_near" if is_near else "copies_other"
            return self._told(kind, pair.kind, forged, pair.source.name)

        return judge

    def edited(self, name: str, edit: str) -> Judge:
        def judge() -> Told:
            marked = Named(name, self._of(name)[0])
            number = self.numbers[name]
            foreign = self._pictures[(number + 28) % len(self._pictures)].pixels
            edited = local_edits.edited("unseen", marked, foreign, edit)
            told = self._told("edits", edit, edited.pixels, name)
            part = "changed" if edited.mask.any() else "whole"
            return told | {"part": part}

        return judge

    def cropped(self, name: str, number: int) -> Judge:
        """A piece at its own size or enlarged, and sent on as a JPEG of some quality."""

        def judge() -> Told:
            seed = hashlib.sha256(f"crop {number} {name}".encode()).digest()[:8]
            random = np.random.default_rng(int.from_bytes(seed))
            pixels = self._of(name)[0]
            wide, high = (int(side * random.uniform(1 / 3, 0.9)) for side in pixels.shape[1::-1])
            left, top = (
                int(random.integers(whole - part + 1))
                for whole, part in zip(pixels.shape[1::-1], (wide, high), strict=True)
            )
            piece = np.ascontiguousarray(pixels[top : top + high, left : left + wide])
            piece = jpeg(resized(piece, random.choice([1.0, 1.4])), int(random.integers(60, 96)))
            return self._told("crops", f"crop {number}", piece, name)

        return judge

    def attacked(self, name: str, attack: str) -> Judge:
        return lambda: self._told("attacks", attack, ATTACKS[attack](self._of(name)[0]), name)

    def _told(self, kind: str, part: str, pixels: Pixels, name: str) -> Told:
        """`is` as the verify page would say, without the log; whether the mark was `read`; how many
        parts are `told`. Where no mark leads to the record its fingerprint may (`asset_lookup`).
        """
        original = self._of(name)[1]
        found = watermark.detect(pixels, key=KEY)
        is_read = found.identifier == self.numbers[name]
        said = {"kind": kind, "way": part, "name": name, "is": "unread", "told": "0"}
        said["read"] = "yes" if is_read else "no"
        if not is_read and not _is_near(pixels, original):
            return said
        compared = perceptual_match.compare(pixels, original, found if is_read else None)
        if compared is None:
            return said | {"is": "not comparable"}
        if compared.is_same or compared.is_doubtful:
            said["is"] = "ours" if compared.is_same else "doubtful"
        elif is_read:
            said["is"] = "another"
        return said | {"told": str(len(compared.changed))}


def _is_near(pixels: Pixels, original: Original) -> bool:
    turned = fingerprint.pdq_orientations(pixels)
    bits = min(fingerprint.distance(each, original.fingerprint) for each in turned)
    return bits <= fingerprint.SAME_PICTURE_DISTANCE


def _rows(called: str, judged: list[Told]) -> Iterator[Row]:
    for kind in ("other", "near"):
        these = [each for each in judged if each["kind"] == f"copies_{kind}"]
        if not these:
            continue
        name = f"{called}_copies_{kind}"
        yield _share(f"{name}_called_ours", these, must=0 if kind == "other" else None)
        yield Row(f"{name}_read", len(_read(these)), f"of {len(these)}")
        yield Row(f"{name}_told_as_not_certain", _doubtful(these), f"of {len(these)}")
        for way, of_way in _by_way(these).items():
            yield Row(f"{name}_{way}", _ours(of_way), f"ours of {len(of_way)}")
    edits = [each for each in judged if each["kind"] == "edits"]
    yield _share(f"{called}_edits_called_ours", edits, better="higher", must=MUST_PERCENT)
    yield _share(f"{called}_edits_called_ours_where_read", _read(edits), better="higher")
    for way, of_way in _by_way(edits).items():
        yield Row(f"{called}_edits_{way}", _ours(of_way), f"ours of {len(of_way)}", better="higher")
    ours = [each for each in edits if each["is"] == "ours"]
    changed = [each for each in ours if each["part"] == "changed"]
    yield _share(f"{called}_part_named_where_changed", changed, _is_told, better="higher")
    whole = [each for each in ours if each["part"] == "whole"]
    yield _share(f"{called}_part_named_where_whole", whole, _is_told)
    yield Row(f"{called}_own_told_as_not_certain", _doubtful(edits), f"of {len(edits)} edits")
    crops = [each for each in judged if each["kind"] == "crops"]
    yield _share(f"{called}_crops_accused", crops, _is_accused, must=0)
    yield _share(f"{called}_crops_called_ours_where_read", _read(crops), better="higher")
    yield Row(f"{called}_edits_accused", sum(map(_is_accused, edits)), f"of {len(edits)}", must=0)
    attacks = _read([each for each in judged if each["kind"] == "attacks"])
    yield _share(f"{called}_attacked_called_ours_where_read", attacks, better="higher")


def _by_way(judged: list[Told]) -> dict[str, list[Told]]:
    ways = sorted({each["way"] for each in judged})
    return {way.replace(" ", "_"): [each for each in judged if each["way"] == way] for way in ways}


def _read(judged: list[Told]) -> list[Told]:
    return [each for each in judged if each["read"] == "yes"]


def _doubtful(judged: list[Told]) -> int:
    return sum(each["is"] == "doubtful" for each in judged)


def _is_ours(told: Told) -> bool:
    return told["is"] == "ours"


def _is_accused(told: Told) -> bool:
    """Told as a mark that was copied onto another picture."""
    return told["is"] == "another"


def _is_told(told: Told) -> bool:
    return int(told["told"]) > 0


def _ours(judged: list[Told]) -> int:
    return sum(map(_is_ours, judged))


def _share(
    name: str,
    judged: list[Told],
    counts: Callable[[Told], bool] = _is_ours,
    *,
    better: Literal["higher", "lower"] = "lower",
    must: float | None = None,
) -> Row:
    """So many of a hundred, with Wilson's interval."""
    good, total = sum(map(counts, judged)), len(judged)
    low, high = (100 * float(each) for each in proportion_confint(good, total, method="wilson"))
    share = round(100 * good / total, 2)
    unit = f"% ({good} of {total})"
    return Row(name, share, unit, round(low, 2), round(high, 2), better=better, must=must)
