"""What of a prompt has no effect here, said once beside the result. Pure.

Other programs give a meaning to brackets, capitals and tags in a prompt; this one reads them as
they are written. Whoever copies a prompt learns it from a note, one of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SHOWN_CHARACTERS = 40
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
# By code: what it looks like, and what to say of it. The earlier one takes its characters.
SYNTAX: dict[str, tuple[re.Pattern[str], str]] = {
    "prompt_adapter_tag": (
        re.compile(r"<(?:lora|lyco|hypernet)\s*:[^<>]{1,200}>", re.IGNORECASE),
        "adapters are chosen beside the prompt, and a tag in it loads none",
    ),
    "prompt_embedding": (
        re.compile(r"(?<!\w)embedding:[\w.\-]{1,200}", re.IGNORECASE),
        "embeddings are not loaded by a name in the prompt",
    ),
    "prompt_alternatives": (
        re.compile(r"\{[^{}|]{0,200}(?:\|[^{}|]{0,200})+\}|\[[^\[\]|]{0,200}\|[^\[\]]{0,200}\]"),
        "none of the alternatives is chosen",
    ),
    "prompt_schedule": (
        re.compile(rf"\[[^\[\]:]{{0,200}}:[^\[\]:]{{0,200}}:\s*{_NUMBER}\s*\]"),
        "a prompt does not change between the steps",
    ),
    "prompt_weight": (
        re.compile(rf"\([^()]{{1,200}}:\s*{_NUMBER}\s*\)"),
        "weights of words have no effect",
    ),
    "prompt_emphasis": (
        re.compile(r"\[[^\[\]]{1,200}\]|\({2,}[^()]{1,200}\){2,}"),
        "brackets neither weaken nor strengthen words",
    ),
    # As compel reads it; "C++" and "A+" are words, which no sign follows but at an end.
    "prompt_signs": (
        re.compile(
            r"\([^()]{1,200}\)(?:\++|-+)(?![\w+-])|(?<![\w+-])[a-zß-ÿ]{2,}(?:\+{1,9}|--+)(?![\w+-])"
        ),
        "signs after a word neither weaken nor strengthen it",
    ),
    "prompt_switch": (
        re.compile(r"(?<!\S)--[a-z]{1,20}(?:\s+[\d.:]{1,12})?(?!\S)"),
        "the size and the like are chosen beside the prompt, and a switch in it sets none",
    ),
    "prompt_wildcard": (
        re.compile(r"(?<!\w)__[\w/*.\-]{1,100}?__(?!\w)"),
        "no list of words is read in its place",
    ),
    "prompt_and": (
        re.compile(r"(?<=\s)AND(?=\s)(?=.*[a-zß-ÿ])"),
        "the parts on its sides make one picture of one prompt",
    ),
    "prompt_break": (
        re.compile(r"(?<!\w)BREAK(?!\w)"),
        "it begins no new part of the prompt",
    ),
}


def of_prompts(
    prompt: str, negative_prompt: str, *, dropped_tokens: int, dropped_negative_tokens: int
) -> list[dict[str, str]]:
    """[{code, message}], a sentence for each kind; the numbers are what no text encoder read."""
    found = dict(_syntax(negative_prompt)) | dict(_syntax(prompt))
    told = [
        {"code": code, "message": f"“{found[code]}” was read as it is written: {why}."}
        for code, (_, why) in SYNTAX.items()
        if code in found
    ]
    for code, name, count in (
        ("prompt_truncated", "prompt", dropped_tokens),
        ("negative_prompt_truncated", "negative prompt", dropped_negative_tokens),
    ):
        if count:
            sentence = (
                f"The {name} is longer than the model can read: its last {count} tokens "
                "(word pieces) had no effect."
            )
            told.append({"code": code, "message": sentence})
    return told


def _syntax(text: str) -> Iterator[tuple[str, str]]:
    """The first of each kind, as it is written, by its code."""
    for code, (pattern, _) in SYNTAX.items():
        match = pattern.search(text)
        if match is not None:
            yield code, _short(match.group())
            text = pattern.sub(" ", text)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
