"""Our categories as the thirteen that OpenAI's clients know. Pure.

The table is published in docs/integrate/openai.md, which a test compares. A category without a name
of theirs is told under its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

OPENAI = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
OF_PICTURES = frozenset(
    name for name in OPENAI if name.startswith(("self-harm", "violence")) or name == "sexual"
)
NAMES: Mapping[str, tuple[str, ...]] = {
    "sexual": ("sexual",),
    "nudity": ("sexual",),
    "minors": ("sexual/minors", "sexual"),
    "intimate": ("sexual",),
    "violence": ("violence", "violence/graphic"),
    "hate": ("hate",),
    "self_harm": ("self-harm",),
    "weapons": ("illicit/violent", "illicit"),
    "drugs": ("illicit",),
    "likeness": (),
    "deception": ("illicit",),
    "sexual_violence": ("sexual", "violence"),
}


def openai_names(categories: Iterable[str]) -> list[str]:
    """Theirs, in order and each once; our own where they have none."""
    return list(
        dict.fromkeys(name for each in categories for name in NAMES.get(each, ()) or (each,))
    )


def without_a_name() -> list[str]:
    """Ours that they have no name for."""
    return [name for name, theirs in NAMES.items() if not theirs]
