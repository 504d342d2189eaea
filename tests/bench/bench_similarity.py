"""How alike must two prompts be before the live page spares the second picture?

    python -m tests.bench.bench_similarity [--steps 4] [--seeds 3] [--pairs] [--print]

Each pair is one step of somebody who types: a letter more, a blank, a full stop, another word. Its
change of conditioning (`prompt_embeddings.change`) is set beside the mean absolute
difference of the two pictures, drawn with one seed, in levels of 255. Changed nouns and colours are
looked at by conditioning in every combination. Writes docs/benchmarks/similarity.json.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from generation.engine.families.family import Rows
from generation.engine.jobs import RenderJob
from generation.engine.loop.engine import Engine
from generation.engine.loop.prompt_embeddings import (
    NO_CHANGE,
    UNSEEN_CHANGE,
    Prompts,
    change,
    is_unseen,
)
from generation.starter.layout import MODEL
from tests.bench.likeness import Pixels
from tests.bench.report import Row, print_table, publish

LEVELS_MAX = 1.0  # of 255: what a spared picture may have changed by
OTHER_THRESHOLDS = (0.02, 0.1, 0.2, 0.4)
SENTENCES = (
    "a red apple",
    "a green apple on a table",
    "woman astronaut",
    "a man with red hair",
    "yellow lion face",
    "a blue sailboat",
    "pizza, a drawing",
    "a brown dog with a ball",
    "red heart",
    "a slice of cake",
    "a black cat emoji",
    "house with garden",
    "smiling face with sunglasses",
    "two purple grapes",
)
SYNONYMS = (
    ("happy face", "glad face"),
    ("grinning face", "smiling face"),
    ("a car", "an automobile"),
    ("woman", "lady"),
    ("a bike", "a bicycle"),
    ("a ship", "a boat"),
    ("a rabbit", "a bunny"),
    ("a stone", "a rock"),
)
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "brown", "black", "white", "pink")
WORDS = """
apple banana grapes lemon pear bread pizza cake cookie cheese egg fish dog cat lion tiger horse
cow pig mouse rabbit bear panda bird chicken penguin owl frog snake turtle whale octopus
butterfly bee spider flower rose tree cactus leaf car bus train bicycle airplane rocket sailboat
ship house castle bridge chair lamp clock book pencil key heart star moon sun cloud umbrella
ball man woman boy girl baby face hand eye
"""
NOUNS = WORDS.split()
FRAMES = (
    "{noun}",
    "a {colour} {noun}",
    "the {colour} {noun}, a picture",
    "a table with a lamp and a chair and a clock and a {colour} {noun}",
    "two smiling people at the beach under the sun a {colour} {noun}",
)


@dataclass(frozen=True, slots=True)
class Pair:
    kind: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Compared:
    """`moved` is the change of conditioning, `levels` that of the picture, the largest of all seeds
    that were drawn."""

    pair: Pair
    moved: float
    levels: float

    @property
    def is_spared(self) -> bool:
        return is_unseen(self.moved, self.pair.after, self.pair.before)


def pairs() -> list[Pair]:
    found = [pair for sentence in SENTENCES for pair in _typed(sentence)]
    found += [Pair("synonym", before, after) for before, after in SYNONYMS]
    for number, noun in enumerate(NOUNS[::3]):
        colour, other = COLOURS[number % len(COLOURS)], COLOURS[(number + 3) % len(COLOURS)]
        before = f"a {colour} {noun}"
        found.append(Pair("colour", before, f"a {other} {noun}"))
        found.append(Pair("noun", before, f"a {colour} {NOUNS[3 * number + 1]}"))
    return found


def _typed(sentence: str) -> Iterator[Pair]:
    for end in range(2, len(sentence) + 1):
        yield Pair("letter", sentence[: end - 1], sentence[:end])
    for same in (sentence.upper(), sentence.title(), f"{sentence} ", sentence.replace(" ", "  ")):
        yield Pair("same tokens", sentence, same)
    for mark in (".", ",", "!", "..."):
        yield Pair("punctuation", sentence, sentence + mark)
    yield Pair("article", sentence, f"the {sentence.removeprefix('a ')}")
    for medium in ("icon", "picture"):
        yield Pair("medium", sentence, f"{sentence} {medium}")


class Bench:
    """One engine on one thread; every prompt is read once and drawn once for each seed."""

    def __init__(self, folder: Path, *, steps: int) -> None:
        said = json.loads((folder / "proofsheet.json").read_text())
        self._side, self._guidance = int(said["native_size"]), float(said["default_guidance"])
        self._steps = steps
        self._engine = Engine.load(folder, threads=1, device="cpu")
        self._prompts = Prompts(self._engine.model)
        self._rows: dict[str, Rows] = {}
        self._drawn: dict[tuple[str, int], Pixels] = {}

    def moved(self, before: str, after: str) -> float:
        return change(self._read(after), self._read(before))

    def levels(self, pair: Pair, seed: int) -> float:
        first, second = (self._draw(text, seed) for text in (pair.before, pair.after))
        return float(np.abs(first.astype(int) - second).mean())

    def _read(self, text: str) -> Rows:
        if text not in self._rows:
            with torch.inference_mode():
                self._rows[text] = self._prompts.encode(text, key=(), wearing=())
        return self._rows[text]

    def _draw(self, text: str, seed: int) -> Pixels:
        if (text, seed) not in self._drawn:
            job = RenderJob(
                prompt=text,
                negative_prompt="",
                steps=self._steps,
                guidance=self._guidance,
                seed=seed,
                width=self._side,
                height=self._side,
                native_size=self._side,
                is_interactive=True,
            )
            self._drawn[text, seed] = self._engine.submit(job).future.result().pixels
        return self._drawn[text, seed]


def compare(bench: Bench, found: Iterable[Pair], *, seeds: int) -> list[Compared]:
    """Every pair with the first seed; one of nearly the same conditioning with all."""
    compared = []
    for pair in found:
        moved = bench.moved(pair.before, pair.after)
        is_close = NO_CHANGE < moved <= UNSEEN_CHANGE
        drawn = range(1, 1 + seeds) if is_close else (1,)
        levels = max(bench.levels(pair, seed) for seed in drawn)
        compared.append(Compared(pair, moved, levels))
    return compared


def changed_words(bench: Bench, kind: str) -> list[Row]:
    """Of all pairs of nouns or of colours in all frames: the smallest change of conditioning, and
    how many would be spared."""
    found: list[tuple[float, str, str]] = []
    for frame in FRAMES:
        if kind == "noun":
            texts = [[frame.format(noun=noun, colour="red") for noun in NOUNS]]
        elif "{colour}" in frame:
            texts = [[frame.format(noun=noun, colour=c) for c in COLOURS] for noun in NOUNS]
        else:
            continue
        for before, after in (both for group in texts for both in combinations(group, 2)):
            found.append((bench.moved(before, after), before, after))
    spared = sum(is_unseen(moved, after, before) for moved, before, after in found)
    against = f"{len(found)} pairs of {kind}s in {len(FRAMES)} frames, the longest of 14 words"
    return [
        Row(f"{kind}s_spared", spared, "pairs", must=0, against=against),
        Row(f"{kind}_change_min", min(found)[0], "share", better="higher", against=against),
    ]


def rows_of(bench: Bench, compared: list[Compared], steps: int, seeds: int) -> list[Row]:
    spared = [each for each in compared if each.is_spared]
    same = [each for each in compared if each.pair.kind == "same tokens"]
    letters = [each for each in compared if each.pair.kind == "letter"]
    words = [each for each in compared if each.pair.kind in ("noun", "colour", "synonym")]
    drawn = f"{steps} steps, one seed; {seeds} seeds where the conditioning is nearly the same"
    correlation = spearmanr([c.moved for c in compared], [c.levels for c in compared]).statistic
    rows = [
        Row("pairs", len(compared), "pairs", better="higher", against=drawn),
        Row("threshold", UNSEEN_CHANGE, "share", against="largest change of a token's vector"),
        Row(
            "spared_levels_max",
            max(each.levels for each in spared),
            "of 255",
            must=LEVELS_MAX,
            against=f"{len(spared)} spared pairs, mean absolute difference of the pictures",
        ),
        _share("same_tokens_spared", same, "capitals and blanks", must=1.0),
        _share("letters_spared", letters, "each letter of the sentences typed"),
        Row("words_spared", sum(w.is_spared for w in words), f"of {len(words)}", must=0),
        Row("words_levels_min", min(w.levels for w in words), "of 255", better="higher"),
        Row("rank_correlation", float(correlation), "Spearman", better="higher"),
    ]
    rows += changed_words(bench, "noun") + changed_words(bench, "colour")
    for threshold in OTHER_THRESHOLDS:
        below = [each for each in compared if each.moved <= threshold]
        name, share = f"levels_max_at_{threshold}", len(below) / len(compared)
        against = f"{share:.0%} of all pairs, whatever changed in them"
        rows.append(Row(name, max(each.levels for each in below), "of 255", against=against))
    return rows


def _share(name: str, of: list[Compared], against: str, must: float | None = None) -> Row:
    value = sum(each.is_spared for each in of) / len(of)
    against = f"{len(of)} pairs: {against}"
    return Row(name, value, "share", better="higher", must=must, against=against)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=MODEL, help="a folder as the starter's")
    parser.add_argument("--steps", type=int, default=4, help="as many as the live page takes")
    parser.add_argument("--seeds", type=int, default=3, help="for what is spared")
    parser.add_argument("--pairs", action="store_true", help="print every pair")
    parser.add_argument("--print", action="store_true", help="print the table, write no files")
    options = parser.parse_args()
    bench = Bench(options.model, steps=options.steps)
    compared = compare(bench, pairs(), seeds=options.seeds)
    if options.pairs:
        for each in sorted(compared, key=lambda each: each.moved):
            said = f"{each.pair.before!r} → {each.pair.after!r}"
            print(f"{each.moved:6.3f}  {each.levels:6.2f}  {each.pair.kind:12} {said}")
    rows = rows_of(bench, compared, options.steps, options.seeds)
    if options.print:
        print_table(rows)
    else:
        publish("similarity", rows)


if __name__ == "__main__":
    main()
