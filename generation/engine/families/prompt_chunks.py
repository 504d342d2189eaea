"""A prompt in pieces as long as a text encoder reads at once, each token with its weight.

A piece ends where `BREAK` stands, else behind a comma among its last tokens, else between two
words. Each is read as if it were the whole prompt, and the pieces' vectors follow one another
(AUTOMATIC1111's reading). A piece of a prompt that fits whole is the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moderation.policy.rulebook import prompt_syntax

COMMA_TOKENS = 20  # as many before the end of a piece may go to the next one for a comma's sake


@dataclass(frozen=True, slots=True)
class Chunk:
    """`weights` are those of the `text`'s tokens as the encoder gets them, () where all are 1."""

    text: str
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunks:
    """All that is read of a prompt, and how many tokens are not."""

    chunks: tuple[Chunk, ...]
    dropped_tokens: int


@dataclass(frozen=True, slots=True)
class ChunkReader:
    """A tokenizer whose encoder reads `length` tokens at once, and `most` such pieces. `before` is
    that of another, with its length, whose vectors of the same text stand before its own. Tokens
    have weights where it `is_weighted`."""

    tokenizer: Any
    length: int
    most: int
    before: tuple[Any, int] | None = None
    is_weighted: bool = True

    def read(self, prompt: str) -> Chunks:
        """In at most `most` pieces; what a model reads as one piece is not parted by BREAK."""
        found = prompt_syntax.read(prompt)
        parts = found.parts if self.most > 1 else [(found.text, found.weights)]
        chunks: list[Chunk] = []
        dropped = 0
        for text, weights in parts:
            while text.strip() or not chunks:
                tokens = self._places(text)
                if len(chunks) == self.most:
                    dropped += len(tokens)
                    break
                end = self._end_of_piece(text, tokens)
                if end == len(text) or len(chunks) + 1 == self.most:
                    end = len(text)
                    dropped += max(0, len(tokens) - self._room)
                is_whole = end == len(found.text)
                chunks.append(self._chunk(text[:end], weights[:end], is_whole=is_whole))
                text, weights = text[end:], weights[end:]
        return Chunks(tuple(chunks), dropped)

    @property
    def _room(self) -> int:
        return self.length - int(self.tokenizer.num_special_tokens_to_add())

    def _places(self, text: str) -> list[tuple[int, int]]:
        """Where each token begins and ends in the text."""
        read = self.tokenizer(
            text,
            add_special_tokens=False,
            truncation=False,
            verbose=False,
            return_offsets_mapping=True,
        )
        return list(read.offset_mapping)

    def _end_of_piece(self, text: str, tokens: list[tuple[int, int]]) -> int:
        """How much of the text is the next piece, which is all of it where it fits."""
        room = self._room
        if len(tokens) <= room:
            return len(text)
        between = [
            at
            for at in range(1, room + 1)
            if any(map(str.isspace, text[tokens[at - 1][1] : tokens[at][0] + 1]))
        ]
        commas = [
            at
            for at in between
            if at > room - COMMA_TOKENS and text[: tokens[at - 1][1]].endswith(",")
        ]
        return max(1, tokens[max(commas or between or [room])][0])

    def _chunk(self, text: str, weights: tuple[float, ...], *, is_whole: bool) -> Chunk:
        """A prompt that is one piece is read as it is, blanks at its ends and all."""
        if not is_whole:
            begin = len(text) - len(text.lstrip())
            text = text.strip()
            weights = weights[begin : begin + len(text)]
        if not self.is_weighted or all(weight == 1 for weight in weights):
            return Chunk(text)
        readers = [*filter(None, [self.before]), (self.tokenizer, self.length)]
        spans = [span for reader in readers for span in _padded_places(text, *reader)]
        return Chunk(text, tuple(_weight(text, weights, *span) for span in spans))


def _padded_places(text: str, tokenizer: Any, length: int) -> list[tuple[int, int]]:
    """Where each token that the encoder gets begins and ends in the text; what is in none is 0."""
    read = tokenizer(
        text,
        padding="max_length",
        max_length=length,
        truncation=True,
        return_offsets_mapping=True,
    )
    return list(read.offset_mapping)


def _weight(text: str, weights: tuple[float, ...], begin: int, end: int) -> float:
    """Of the first character of a token that is no blank; 1 for what is in no text."""
    return next((weights[at] for at in range(begin, end) if not text[at].isspace()), 1.0)
