"""A prompt as A1111 writes it: adapters as `<lora:name:weight>`. Pure.

The tags are taken out; brackets and BREAK mean the same here (`prompt_syntax`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.core.errors import ProofsheetError

_TAG = re.compile(r"<(\w+):([^<>]+)>")
_KINDS = frozenset({"lora", "lyco"})


class TagNotUnderstood(ProofsheetError):
    """Of another kind, or with a weight that is no number."""

    default_code = "tag_not_understood"
    default_status = 422
    default_message = "The prompt holds a tag that means nothing here."
    default_advice = "Write <lora:NAME:WEIGHT>; GET /sdapi/v1/loras lists the names."


@dataclass(frozen=True, slots=True)
class TaggedPrompt:
    """`text` is the prompt without tags; `loras` are names and weights in order."""

    text: str
    loras: tuple[tuple[str, float], ...]


def read(prompt: str) -> TaggedPrompt:
    """Raises TagNotUnderstood."""
    loras = tuple(_lora(found) for found in _TAG.finditer(prompt))
    return TaggedPrompt(" ".join(_TAG.sub("", prompt).split()), loras)


def _lora(found: re.Match[str]) -> tuple[str, float]:
    name, *more = found[2].split(":")
    if found[1].lower() not in _KINDS:
        raise _not_understood(found)
    named = dict(part.split("=", 1) for part in more if "=" in part)
    plain = [part for part in more if "=" not in part]
    said = named.get("te") or named.get("unet") or (plain[0] if plain else "1")
    try:
        return name.strip(), float(said)
    except ValueError as error:
        raise _not_understood(found) from error


def _not_understood(found: re.Match[str]) -> TagNotUnderstood:
    return TagNotUnderstood(
        message=f"The prompt holds {found[0][:80]!r}, which means nothing here."
    )
