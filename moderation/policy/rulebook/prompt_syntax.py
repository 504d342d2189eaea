"""Weights and parts of a prompt, and the text that is left when they are taken out. Pure.

What the models draw from and what is screened is this one reading: `(a)` weighs its words 1.1,
`[a]` 1/1.1 and `(a:1.3)` 1.3, brackets within brackets multiply, `BREAK` begins a new part, and a
backslash makes a bracket a letter. A bracket without its other half is a letter, and so are those
of `[a|b]`, `[a:b:0.5]` and `[a:0.5]`, which mean something else elsewhere and nothing here.

Source: AUTOMATIC1111's `prompt_parser.parse_prompt_attention`, whose brackets without their other
half weigh all that follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

STRONGER = 1.1  # a pair of round brackets; square ones divide by it
PARTS_MAX = 4  # as many are read by themselves
WEIGHT_MAX = 4.0  # beyond it, and below 0, no picture is one any more
NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
ESCAPED = re.compile(r"\\[()\[\]\\]")
_SIGN = re.compile(
    rf"{ESCAPED.pattern}|[()\[\]|]|:\s*(?P<number>{NUMBER})\s*(?=[)\]])|(?<!\w)BREAK(?!\w)"
)


@dataclass(frozen=True, slots=True)
class WeightedPrompt:
    """`text` as the model reads it; of each of its characters the weight (0 to 4) and the place in
    the prompt as it was typed. After each of `cuts` another part begins.
    `is_clamped` where brackets within brackets multiply to more than 4."""

    text: str
    weights: tuple[float, ...]
    origins: tuple[int, ...]
    cuts: tuple[int, ...]
    is_clamped: bool

    @property
    def parts(self) -> list[tuple[str, tuple[float, ...]]]:
        """Text and weights of each part that says something; one for a text that says nothing."""
        edges = [0, *self.cuts, len(self.text)]
        spans = zip(edges, edges[1:], strict=False)
        found = [(self.text[a:b], self.weights[a:b]) for a, b in spans if self.text[a:b].strip()]
        return found or [(self.text, self.weights)]


@dataclass(slots=True)
class _Bracket:
    """An opening one among the signs of a prompt; `is_choice` once a `|` stands in it."""

    index: int
    sign: str
    is_choice: bool = False


@dataclass(slots=True)
class _Pairs:
    """By the index of a sign: the weight that an opening bracket begins, and what else is gone
    from the text because it has an effect."""

    weights: dict[int, float] = field(default_factory=dict)
    closings: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)


def read(prompt: str) -> WeightedPrompt:
    """In one pass over the signs and one over the text, however deep the brackets are."""
    signs = list(_SIGN.finditer(prompt))
    pairs = _paired(signs)
    text: list[str] = []
    weights: list[float] = []
    origins: list[int] = []
    cuts: list[int] = []
    open_weights = [1.0]
    is_clamped = False

    def say(begin: int, end: int) -> None:
        text.append(prompt[begin:end])
        weights.extend([open_weights[-1]] * (end - begin))
        origins.extend(range(begin, end))

    at = 0
    for index, sign in enumerate(signs):
        say(at, sign.start())
        at = sign.end()
        if sign[0] == "BREAK":
            text.append(" ")
            weights.append(1.0)
            origins.append(sign.start())
            cuts.append(len(origins))
        elif sign[0][0] == "\\":
            say(sign.start() + 1, sign.end())
        elif index in pairs.weights:
            weight = round(open_weights[-1] * pairs.weights[index], 12)  # `([a])` weighs 1
            is_clamped |= weight > WEIGHT_MAX
            open_weights.append(min(weight, WEIGHT_MAX))
        elif index in pairs.closings:
            open_weights.pop()
        elif index not in pairs.numbers:
            say(sign.start(), sign.end())
    say(at, len(prompt))
    return WeightedPrompt(
        "".join(text), tuple(weights), tuple(origins), tuple(cuts), is_clamped=is_clamped
    )


def weights_beyond(prompt: str) -> Iterator[str]:
    """The numbers that are no weight from 0 to 4, as they are typed."""
    signs = list(_SIGN.finditer(prompt))
    for index in _paired(signs).numbers:
        if not 0 <= float(signs[index]["number"]) <= WEIGHT_MAX:
            yield signs[index]["number"]


def _paired(signs: list[re.Match[str]]) -> _Pairs:
    """Each closing bracket ends the nearest open one of its kind; what is open within has no other
    half."""
    pairs, opened = _Pairs(), list[_Bracket]()
    count = {"(": 0, "[": 0}
    for index, sign in enumerate(signs):
        match sign[0]:
            case "(" | "[" as opening:
                opened.append(_Bracket(index, opening))
                count[opening] += 1
            case "|" if opened:
                opened[-1].is_choice = True
            case ")" | "]" as closing:
                opening = "(" if closing == ")" else "["
                if count[opening]:
                    bracket = _close(opened, opening, count)
                    _weigh(pairs, signs, bracket, index)
    return pairs


def _close(opened: list[_Bracket], opening: str, count: dict[str, int]) -> _Bracket:
    while True:
        bracket = opened.pop()
        count[bracket.sign] -= 1
        if bracket.sign == opening:
            return bracket


def _weigh(pairs: _Pairs, signs: list[re.Match[str]], bracket: _Bracket, closing: int) -> None:
    before = signs[closing - 1]
    number = before["number"] if before.end() == signs[closing].start() else None
    if bracket.sign == "[":
        if bracket.is_choice or number is not None:
            return
        weight = 1 / STRONGER
    elif number is not None:
        weight = min(max(float(number), 0.0), WEIGHT_MAX)
        pairs.numbers.add(closing - 1)
    else:
        weight = STRONGER
    pairs.weights[bracket.index] = weight
    pairs.closings.add(closing)
