"""Which characters of a text somebody can see, by a current Unicode table (Python's own is older).

Kept: whatever is drawn, and what is invisible but belongs to it: the joiners, variation selectors
and tags of emoji (UTS #51), the joiners of scripts that are written with them, variants of Han and
Mongolian letters. Gone: controls, halves of surrogate pairs, and every other invisible character,
for it can only disguise what a text says. Pure.
"""

from functools import lru_cache
from unicodedata import normalize

import regex

# Prepended marks of Arabic numbers are format characters that are drawn; a Braille blank is none.
_INVISIBLE = r"[[\p{Cc}\p{Cf}\p{Cs}\p{DI}\p{Zl}\p{Zp}\p{NChar}\u2800]--\p{PCM}]"
_FLAG_OF_A_PART = "\U0001f3f4(?:{})\U000e007f".format(
    "|".join(
        "".join(chr(0xE0000 + ord(letter)) for letter in region)
        for region in ("gbeng", "gbsct", "gbwls")
    )
)
_ONE_EMOJI = (
    rf"(?:{_FLAG_OF_A_PART}|[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    r"|[[\p{ExtPict}\p{Emoji}]--[0-9#*]](?:[\ufe0e\ufe0f]|\p{EMod})?\u20e3?)"
)
_JOINING = (
    r"(?<=[[\p{L}\p{M}]&&[\p{Arabic}\p{Syriac}\p{Nko}\p{Mongolian}\p{Devanagari}\p{Bengali}"
    r"\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}"
    r"\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Balinese}\p{Javanese}]])[\u200c\u200d]"
)
_VARIANT = (
    r"(?<=\p{Han})[\ufe00-\ufe02\U000e0100-\U000e01ef]|(?<=\p{Mongolian})[\u180b-\u180d\u180f]"
)
_WHOLE = regex.compile(
    rf"(?P<kept>{_ONE_EMOJI}(?:\u200d{_ONE_EMOJI})*|{_JOINING}|{_VARIANT})|{_INVISIBLE}",
    regex.VERSION1,
)
_WORDLIKE = regex.compile(r"[\p{L}\p{M}\p{Nd}]", regex.VERSION1)
_UNREAD = regex.compile(rf"{_INVISIBLE}|[\p{{Mn}}\p{{Me}}\p{{Co}}\p{{Cn}}]", regex.VERSION1)


def visible(text: str) -> str:
    """NFC, each run of white space as one space, without what nobody can see."""
    while (seen := _once(text)) != text:  # what stood between two signs may have held them apart
        text = seen
    return text


def typed(text: str) -> str:
    """What somebody wrote, white space around it left out; nothing where none of it can be seen."""
    return text.strip() if visible(text) else ""


def _once(text: str) -> str:
    spaced = " ".join(text.split())
    kept = _WHOLE.sub(lambda found: found["kept"] or "", spaced)
    return " ".join(normalize("NFC", kept).split())


@lru_cache(maxsize=4096)
def is_unread(character: str) -> bool:
    """Whether a reading passes over it: invisible, a mark on a letter, or assigned to nothing."""
    return _UNREAD.fullmatch(character) is not None


@lru_cache(maxsize=8192)
def is_wordlike(character: str) -> bool:
    """Letter, mark or digit: what a word is made of."""
    return _WORDLIKE.match(character) is not None
