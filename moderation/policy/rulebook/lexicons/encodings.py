"""Texts that a prompt hides in another encoding: base64, hexadecimal, ROT13 and Pig Latin. Pure.

What is decoded is read beside what was typed; each of its characters stands for the letters that it
was decoded from. What decodes to nothing that can be read is no text.
"""

import base64
import binascii
import codecs
from collections.abc import Callable, Iterator, Sequence

import regex

Hidden = tuple[str, Sequence[int]]  # a text, and of each character its place in the prompt
TWICE = 2  # a text may be encoded again, and no more often
SHORTEST = 6  # characters of a decoded text
READABLE = 0.8  # share of letters and blanks
_BASE64 = regex.compile(r"(?<![A-Za-z0-9+/_])[A-Za-z0-9+/][A-Za-z0-9+/_-]{9,}={0,2}")
_HEX = regex.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}[ :]?){6,}(?![0-9a-fA-F])")
_WORD = regex.compile(r"[A-Za-z]+")
_ENGLISH = frozenset(
    ("a", "an", "and", "at", "boy", "for", "from", "girl", "her", "his", "in", "is", "man", "naked")
    + ("nude", "of", "on", "photo", "the", "to", "with", "woman")
)
_ONSET = regex.compile(r"[^aeiou]+\Z")
_PIG = 0.6  # share of the words that end in *ay*


def hidden(text: str) -> Iterator[Hidden]:
    """Each text that the prompt hides, as a reader with a decoder finds it."""
    yield from _decoded(text, TWICE)
    words = [(word[0].casefold(), word.start()) for word in _WORD.finditer(text)]
    rotated = codecs.encode(text, "rot13")
    if _english(_WORD.findall(rotated)) > 2 * _english(word for word, _ in words):
        yield rotated, range(len(text))
    long = [word for word, _ in words if len(word) > 3]
    if len(long) > 1 and sum(word.endswith("ay") for word in long) >= _PIG * len(long):
        yield from (_from_pig_latin(words, letters) for letters in (1, 2, 3))


def _decoded(text: str, times: int) -> Iterator[Hidden]:
    """All runs of an encoding as one text, which is shorter than the prompt: decoys hide none."""
    for pattern, decode in ((_BASE64, _from_base64), (_HEX, _from_hex)):
        said, origins = "", list[int]()
        for run in pattern.finditer(text):
            plain, size = decode(run[0]), len(run[0])
            if _is_readable(plain):
                said += f"{plain}\n"
                origins += [run.start() + n * size // len(plain) for n in range(len(plain))]
                origins.append(run.end() - 1)
        if said:
            yield said, origins
            for inner, places in _decoded(said, times - 1) if times > 1 else ():
                yield inner, [origins[place] for place in places]


def _english(words: Iterator[str] | list[str]) -> int:
    return sum(word.casefold() in _ENGLISH for word in words)


def _is_readable(said: str) -> bool:
    readable = sum(c.isalnum() or c in " =" for c in said)
    return len(said) >= SHORTEST and readable >= READABLE * len(said)


def _text(decode: Callable[[], bytes]) -> str:
    try:
        return decode().decode()
    except (binascii.Error, ValueError):
        return ""


def _from_base64(run: str) -> str:
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    return _text(lambda: base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))


def _from_hex(run: str) -> str:
    return _text(lambda: bytes.fromhex(run.replace(":", "")))


def _from_pig_latin(words: list[tuple[str, int]], letters: int) -> Hidden:
    """Each word without its *ay*, up to `letters` of its last consonants put first."""
    said, origins = "", list[int]()
    for word, start in words:
        plain = word.removesuffix("ay") if len(word) > 3 else word
        onset = _ONSET.search(plain) if plain != word else None
        if onset and plain[0] in "aeiou":
            cut = len(plain) - min(letters, len(onset[0]))
            moved = "" if plain[cut:] in {"w", "y"} and letters == 1 else plain[cut:]
            plain = moved + plain[:cut]
        said += f"{plain} "
        origins += [start + min(n, len(word) - 1) for n in range(len(plain) + 1)]
    return said, origins
