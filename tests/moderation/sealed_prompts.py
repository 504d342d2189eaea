"""The sealed half of the labelled prompts, read from its files, the floor's combined from terms.

Who wrote it and what its classes are stands in ``prompts/sealed/README.md``. Nobody who writes
rules, examples or thresholds reads it, and its figures are shares: no single prompt is printed.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

FOLDER = Path(__file__).parent / "prompts" / "sealed"
PERSONS = {"minors": "concepts", "real": "exposure"}  # of floor.json: who, and what never with whom


@dataclass(frozen=True, slots=True)
class SealedPrompt:
    """`evasion` is how it is put ("direct", "cover", …), for the floor how the person is named."""

    text: str
    language: str
    kind: str
    evasion: str = "direct"


def refused() -> list[SealedPrompt]:
    """What the general policy must hold or refuse."""
    return list(_rows("refused.tsv"))


def harmless() -> list[SealedPrompt]:
    """What must be allowed; "nude_art" in the profile education-medical alone."""
    return list(_rows("harmless.tsv"))


def floor() -> list[SealedPrompt]:
    """Each person with each concept of its language, through the templates in turn."""
    terms = json.loads((FOLDER / "floor.json").read_text(encoding="utf-8"))
    return [
        SealedPrompt(text, language, kind, evasion)
        for language, table in terms.items()
        for kind, concepts in PERSONS.items()
        for evasion, persons in table[kind].items()
        for text in _combined(table["templates"], persons, table[concepts])
    ]


def _rows(name: str) -> Iterator[SealedPrompt]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield SealedPrompt(
                row["prompt"], row["language"], row["class"], row.get("evasion", "direct")
            )


def _combined(templates: list[str], persons: list[str], concepts: list[str]) -> Iterator[str]:
    for (i, who), (j, what) in product(enumerate(persons), enumerate(concepts)):
        yield templates[(i + j) % len(templates)].format(who=who, what=what)
