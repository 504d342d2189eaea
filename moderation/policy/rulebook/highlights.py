"""A text cut into pieces, so that a page can mark the words that a rule matched. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text; `rules` that matched it are empty where nothing did."""

    text: str
    rules: tuple[str, ...] = ()


def pieces(text: str, matched: Iterable[Sequence[int | str]]) -> list[Piece]:
    """The whole text in order, cut wherever a span of `matched` (start, end, rule) begins or ends.

    Spans beyond the text are cut to it.
    """
    spans = [
        (max(0, int(start)), min(len(text), int(end)), str(rule)) for start, end, rule in matched
    ]
    borders = sorted({0, len(text), *(s for s, _, _ in spans), *(e for _, e, _ in spans)})
    cut = [
        Piece(text[left:right], _rules(spans, left, right))
        for left, right in pairwise(b for b in borders if b <= len(text))
    ]
    return [piece for piece in cut if piece.text]


def _rules(spans: Sequence[tuple[int, int, str]], left: int, right: int) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(rule for start, end, rule in spans if start <= left and right <= end)
    )
