"""What of a prompt has no effect here, said once beside the result. Pure.

Weights and parts have their effect (`prompt_syntax`). Other programs give a meaning to more signs,
capitals and tags in a prompt; this one reads them as they are written. Whoever copies a prompt
learns it from a note, one of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from moderation.policy.rulebook import prompt_syntax

SHOWN_CHARACTERS = 40
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
        re.compile(rf"\[(?:[^\[\]:]{{0,200}}:){{1,2}}\s*{prompt_syntax.NUMBER}\s*\]"),
        "a prompt does not change between the steps",
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
}


def of_prompts(
    prompt: str,
    negative_prompt: str,
    *,
    dropped_tokens: int,
    dropped_negative_tokens: int,
    has_parts: bool = True,
    has_weights: bool = True,
) -> list[dict[str, str]]:
    """[{code, message}], a sentence for each kind; the numbers are what no text encoder read, and
    `has_parts` says whether the model reads a prompt in parts, `has_weights` whether it weighs."""
    both = prompt, negative_prompt
    found = dict(_syntax(negative_prompt)) | dict(_syntax(prompt))
    told = [
        _note(code, f"“{found[code]}” was read as it is written: {why}.")
        for code, (_, why) in SYNTAX.items()
        if code in found
    ]
    told += _of_weights(both) if has_weights else _of_no_weights(both)
    if not has_parts and any(prompt_syntax.read(text).cuts for text in both):
        told.append(
            _note(
                "prompt_break", "“BREAK” began no new part: this model reads a prompt as a whole."
            )
        )
    for code, name, count in (
        ("prompt_truncated", "prompt", dropped_tokens),
        ("negative_prompt_truncated", "negative prompt", dropped_negative_tokens),
    ):
        if count:
            sentence = (
                f"The {name} is longer than the model can read: its last {count} tokens "
                "(word pieces) had no effect."
            )
            told.append(_note(code, sentence))
    return told


def _of_weights(both: tuple[str, str]) -> list[dict[str, str]]:
    """Where a weight was not taken as it is written."""
    most = f"{prompt_syntax.WEIGHT_MAX:g}"
    if beyond := [number for text in both for number in prompt_syntax.weights_beyond(text)]:
        said = (
            f"“{_short(beyond[0])}” is no weight from 0 to {most}, "
            "so the nearer of the two was taken."
        )
    elif any(prompt_syntax.read(text).is_clamped for text in both):
        said = f"Brackets within brackets multiply to more than {most}, so {most} was taken."
    else:
        return []
    return [_note("prompt_weight", said)]


def _of_no_weights(both: tuple[str, str]) -> list[dict[str, str]]:
    """Language models read words, and none of them more than another."""
    if all(weight == 1 for text in both for weight in prompt_syntax.read(text).weights):
        return []
    said = "Weights had no effect: this model reads every word as much as any other."
    return [_note("prompt_weights", said)]


def _note(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def _syntax(prompt: str) -> Iterator[tuple[str, str]]:
    """The first of each kind, as it is written, by its code. What has an effect, or is a letter
    behind a backslash, is none."""
    text = prompt_syntax.read(prompt_syntax.ESCAPED.sub(" ", prompt)).text
    for code, (pattern, _) in SYNTAX.items():
        match = pattern.search(text)
        if match is not None:
            yield code, _short(match.group())
            text = pattern.sub(" ", text)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
