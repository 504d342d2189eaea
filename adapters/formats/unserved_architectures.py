"""Tells for which architecture an adapter was made that fits no model served here. Pure.

What the signatures hold is written by `adapters.families.derive_foreign` from diffusers' own
modules: each layer's name, in every spelling that training tools give to it, with its sizes. A name
is looked up with its dots as underscores, so that kohya's names need no table of their own.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent.parent / "families" / "foreign.json"
Size = tuple[int, int]
PREFIX = re.compile(
    r"(base_model\.model|model|diffusion_model|transformer(_2|_ref)?|unet|net|conditional_transformer"
    r"|default)\.|(lora_(unet|transformer|prior_unet|prior|dit)|lycoris(_unet)?)_"
)
PREFIXES_MAX = 3  # base_model.model.diffusion_model. and one more
NUMBER = re.compile(r"(?:(?<=_)|^)[\d:,]+(?=_|$)")


class Entry(NamedTuple):
    """A layer of one architecture in the blocks `first` to `last`."""

    architecture: str
    first: int
    last: int
    size: Size


@dataclass(frozen=True, slots=True)
class Likeness:
    """The architectures that explain most of a file's layers: `explained` of `total`."""

    architectures: tuple[str, ...] = ()
    explained: int = 0
    total: int = 0

    @property
    def is_whole(self) -> bool:
        return 0 < self.explained == self.total

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(title_of(name) for name in self.architectures))

    def rivals(self, families: Sequence[str]) -> tuple[str, ...]:
        """Titles of those that are no variants of the families."""
        kin = _signatures().kin
        rivals = [name for name in self.architectures if kin[name] not in families]
        return tuple(dict.fromkeys(title_of(name) for name in rivals))

    @property
    def title(self) -> str:
        """Two of the same layers are both named: nothing in a file tells them apart."""
        first, *others = self.titles
        return f"{first} (or of what has the same layers: {listed(others)})" if others else first


def listed(titles: Sequence[str]) -> str:
    """Titles for a sentence: three at most, and how many more there are."""
    shown = ", ".join(titles[:3])
    return f"{shown} and {len(titles) - 3} more" if len(titles) > 3 else shown


def title_of(architecture: str) -> str:
    """What people call that architecture."""
    return _signatures().titles[architecture]


def liken(layers: Sequence[tuple[tuple[str, ...], Size | None]]) -> Likeness:
    """`layers` are a file's, each by the spellings of its name, without what the parts of a LoRA
    end in, and by its sizes in and out where they are known."""
    votes: Counter[str] = Counter()
    for names, size in layers:
        votes.update(_explaining(names, size))
    if not votes:
        return Likeness(total=len(layers))
    most = max(votes.values())
    order = _signatures().titles
    best = tuple(name for name in order if votes[name] == most)
    return Likeness(best, most, len(layers))


def spellings_of(name: str) -> tuple[str, ...]:
    """The name as a layer may have it: without what tools put before it, dots as underscores."""
    return tuple(_flat(bare) for bare in _without_prefixes(name))


def _explaining(names: tuple[str, ...], size: Size | None) -> set[str]:
    """The architectures that have a layer of such a name and size."""
    found: set[str] = set()
    index = _signatures().index
    for flat in names:
        pattern, number = _take_apart(flat)
        found |= {
            entry.architecture
            for entry in index.get(pattern, ())
            if entry.first <= number <= entry.last and size in (None, entry.size)
        }
    return found


def _without_prefixes(name: str) -> Iterable[str]:
    """The name itself, then ever less of it: prefixes stand before one another."""
    yield name
    for _ in range(PREFIXES_MAX):
        found = PREFIX.match(name)
        if found is None:
            return
        name = name[found.end() :]
        yield name


def _flat(name: str) -> str:
    return name.replace(".", "_").replace("_processor_", "_").rstrip("_")


def _take_apart(flat: str) -> tuple[str, int]:
    """The first number of a name is its block's: "blocks_#_attn_qkv" and 7; -1 without one."""
    found = NUMBER.search(flat)
    if found is None or not found[0].isdecimal() or len(found[0]) > 4:
        return flat, -1
    return f"{flat[: found.start()]}#{flat[found.end() :]}", int(found[0])


@dataclass(frozen=True, slots=True)
class _Signatures:
    """By architecture its title and the served family of which it is a variant; by pattern its
    entries."""

    titles: dict[str, str]
    kin: dict[str, str]
    index: dict[str, list[Entry]]


@cache
def _signatures() -> _Signatures:
    index: defaultdict[str, list[Entry]] = defaultdict(list)
    titles, kin = {}, {}
    for architecture, said in json.loads(FILE.read_text()).items():
        titles[architecture], kin[architecture] = said["title"], said["kin"]
        for line, sizes in (said["layers"] | said["original"]).items():
            flat = line.replace(".", "_")
            found = NUMBER.search(flat)
            pattern = f"{flat[: found.start()]}#{flat[found.end() :]}" if found else flat
            for run in found[0].split(",") if found else ("-1",):
                first, _, last = run.partition(":")
                index[pattern] += [
                    Entry(architecture, int(first), int(last or first), (inputs, outputs))
                    for inputs, outputs in zip(sizes[::2], sizes[1::2], strict=True)
                ]
    return _Signatures(titles, kin, dict(index))
