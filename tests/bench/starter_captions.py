"""Which 200 captions stand for the starter model: a rule, no choice.

100 objects: captions without skin tones (things, animals, food, signs, yellow faces). 100 people:
one after the other from each of 21 groups, gender (woman, man, neither or both) by skin tone (none,
five tones, two tones). Inside a group the order is that of the SHA-256 of the code point.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from itertools import chain, zip_longest

from generation.starter.corpus.captions import Caption

OBJECTS = PEOPLE = 100
WOMEN, MEN = {"woman", "women"}, {"man", "men"}


def is_person(caption: Caption) -> bool:
    return caption.variants > 1


def gender(label: str) -> str:
    """'woman', 'man', or 'other' where the label names neither or both."""
    words = set(label.replace(":", " ").replace(",", " ").split())
    named = [name for name, said in (("woman", WOMEN), ("man", MEN)) if words & said]
    return named[0] if len(named) == 1 else "other"


def skin_tone(label: str) -> str:
    """The skin tone in the label, '' for none, 'two' for a pair of people of two tones."""
    parts = label.replace(":", ",").split(",")
    tones = [part.strip() for part in parts if part.strip().endswith("skin tone")]
    return "two" if len(tones) > 1 else "".join(tones)


def _order(caption: Caption) -> str:
    return hashlib.sha256(caption.code.encode()).hexdigest()


def choose(captions: list[Caption]) -> list[int]:
    """Indices of the 200 captions, objects first."""
    ordered = sorted(range(len(captions)), key=lambda index: _order(captions[index]))
    objects = [index for index in ordered if not is_person(captions[index])]
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for index in ordered:
        if is_person(captions[index]):
            label = captions[index].label
            groups[gender(label), skin_tone(label)].append(index)
    rounds = chain.from_iterable(zip_longest(*(groups[key] for key in sorted(groups))))
    people = [index for index in rounds if index is not None]
    return objects[:OBJECTS] + people[:PEOPLE]
