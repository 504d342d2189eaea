"""Entries of a lexicon as tries, so that a text is read once for all of them. Pure."""

from dataclasses import dataclass, field

import regex

from moderation.policy.rulebook.characters import is_wordlike
from moderation.policy.rulebook.lexicons.entries import LexiconEntry

_CHOICE = regex.compile(r"(\([^()]*\))")


@dataclass(slots=True)
class TrieNode:
    """What may follow what was read so far. A step is a letter, a blank for anything between two
    words, `~` for up to some words and `*` for the rest of one."""

    next: dict[str, "TrieNode"] = field(default_factory=dict)
    numbers: dict[str, "TrieNode"] = field(
        default_factory=dict
    )  # what follows a number, by language
    choices: dict[str, tuple["TrieNode", "TrieNode"]] = field(
        default_factory=dict
    )  # and what follows
    is_number: bool = False
    entries: tuple[LexiconEntry, ...] = ()


def insert(root: TrieNode, key: str, entry: LexiconEntry) -> None:
    """Add an entry that is spelt `key`, its choices in brackets."""
    node, was_blank = root, False
    for part in _CHOICE.split(key):
        if part.startswith("("):
            node, was_blank = _chosen(node, part, entry), False
            continue
        for letter in part:
            if letter == "#":
                node = node.numbers.setdefault(entry.language, TrieNode(is_number=True))
                was_blank = False
                continue
            step = letter if is_wordlike(letter) or letter in "~*" else " "
            if step == " " and was_blank:
                continue
            if step == "~" and was_blank:  # the blank before it is part of what lies between
                node = node.next.setdefault("~", TrieNode())
                continue
            was_blank = step == " "
            node = node.next.setdefault(step, TrieNode())
    node.entries += (entry,)


def _chosen(node: TrieNode, choice: str, entry: LexiconEntry) -> TrieNode:
    """The node after one of the alternatives that a choice names."""
    if choice not in node.choices:
        alternatives = TrieNode()
        for each in choice[1:-1].split("|"):
            insert(alternatives, each, entry)
        node.choices[choice] = alternatives, TrieNode()
    return node.choices[choice][1]
