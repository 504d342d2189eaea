"""Rows on the third and fourth set of pictures: copied marks, edits and turns, with intervals.

What each picture was judged to be is kept as a line, so that a run that was stopped goes on where
it was. Intervals are Wilson's at 95 %.
"""

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
from tests.provenance.attacks import ATTACKS

FOLDER = ROOT / "var" / "bench"
KEY = b"the key of the third set, always"
"""One for all runs: what goes on where it was has the same marks."""
MUST_PERCENT = 98.0
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

    def attacked(self, name: str, attack: str) -> Judge:
        return lambda: self._told("attacks", attack, ATTACKS[attack](self._of(name)[0]), name)

    def _told(self, kind: str, part: str, pixels: Pixels, name: str) -> Told:
        """`ours` as the verify page would say, without the log; `told` parts."""
        found = watermark.detect(pixels, key=KEY)
        said = {"kind": kind, "way": part, "name": name, "is": "unread"}
        if found.identifier != self.numbers[name]:
            return said
        compared = perceptual_match.compare(pixels, self._of(name)[1], found)
        said["is"] = "another"
        if compared is not None and (compared.is_same or compared.is_doubtful):
            said["is"] = "ours" if compared.is_same else "doubtful"
        said["told"] = str(len(compared.changed) if compared is not None else 0)
        return said


def _rows(called: str, judged: list[Told]) -> Iterator[Row]:
    for kind in ("other", "near"):
        these = [each for each in judged if each["kind"] == f"copies_{kind}"]
        name = f"{called}_copies_{kind}"
        yield _share(f"{name}_called_ours", these, must=0 if kind == "other" else None)
        yield Row(f"{name}_read", sum(each["is"] != "unread" for each in these), f"of {len(these)}")
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
    attacks = _read([each for each in judged if each["kind"] == "attacks"])
    yield _share(f"{called}_attacked_called_ours_where_read", attacks, better="higher")


def _by_way(judged: list[Told]) -> dict[str, list[Told]]:
    ways = sorted({each["way"] for each in judged})
    return {way.replace(" ", "_"): [each for each in judged if each["way"] == way] for way in ways}


def _read(judged: list[Told]) -> list[Told]:
    return [each for each in judged if each["is"] != "unread"]


def _doubtful(judged: list[Told]) -> int:
    return sum(each["is"] == "doubtful" for each in judged)


def _is_ours(told: Told) -> bool:
    return told["is"] == "ours"


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
