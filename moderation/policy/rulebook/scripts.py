"""Readings of a prompt in the script that it is written in, for terms that are not Latin letters.

Letters become what a reader takes them for: width, case, forms of Arabic and Hebrew letters,
traditional Han as simplified, katakana as hiragana, every script's digits as ASCII. Marks are kept
where they make another word (Indic, Thai, kana), else dropped. Sources: Unicode UAX #15, UAX #24,
UTS #39. Pure.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex

from moderation.policy.rulebook.characters import is_unread, is_wordlike
from moderation.policy.rulebook.prompt_readings import EXPANDED_MAX, Cell, PromptReading

_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー]", regex.VERSION1
)
_KEPT_MARK = regex.compile(
    r"[[\p{Mn}]&&[\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}"
    r"\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u3099\u309a]"
    r"--[\u093c\u09bc]]",
    regex.VERSION1,
)
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}\u3099\u309a]", regex.VERSION1)
_FORMS = str.maketrans(
    "ىکیےھہەةٱךםןףץ見體國學處処殺槍彈藥薬製賣義納標誌龍貓馬鳥醫圖図護証證偽鈔剝脫褲內強姦獸戀爛"
    "屍頭顱斷開兒児師園歲歳聖經濟亞數據點線網頁紙幣髮臉換雙對殘戰爭",
    "يكييهههها"
    + "כמנפצ"
    + "见体国学处处杀枪弹药药制卖义纳标志龙猫马鸟医图图护证证伪钞剥脱裤内强奸兽恋烂"
    "尸头颅断开儿儿师园岁岁圣经济亚数据点线网页纸币发脸换双对残战争",
)
_CYRILLIC = str.maketrans("aeopcxykmthb03@", "аеорсхукмтнвоза")
_HAS_CYRILLIC, _HAS_OTHER = regex.compile(r"\p{Cyrillic}"), regex.compile(r"[a-z0-9@]")
_SPACED = regex.compile(
    r"(?<![\p{L}\p{M}])(?:[[\p{L}]--[a-z]]\p{M}*[^\p{L}\p{M}\p{N}]{1,3}){2,}[[\p{L}]--[a-z]]\p{M}*"
    r"(?![\p{L}\p{M}])"
    r"|(?<!\p{Han}|\p{Hiragana})(?:[\p{Han}\p{Hiragana}][^\p{L}\p{M}\p{N}]{1,2})+"
    r"[\p{Han}\p{Hiragana}](?![\p{Han}\p{Hiragana}])"
    r"|[\p{Han}\p{Hiragana}](?:[^\p{L}\p{M}\p{N}]{1,2}[\p{Han}\p{Hiragana}]){2,}"
    r"|[\p{Han}\p{Hiragana}ー][·・･‧•][\p{Han}\p{Hiragana}]",
    regex.VERSION1,
)
_BROKEN = regex.compile(
    r"(?<=[[\p{L}\p{M}]--[a-z]])[^\s\p{L}\p{M}\p{N}](?=[\p{L}--[a-z]])", regex.VERSION1
)
_STRETCHED = regex.compile(r"([[\p{L}]--[a-z]--\p{Han}])\1{2,}", regex.VERSION1)


@lru_cache(maxsize=8192)
def is_unspaced(character: str) -> bool:
    """Of a script that is written without blanks between words."""
    return _UNSPACED.match(character) is not None


def is_border(text: str, place: int) -> bool:
    """Whether a word may begin or end before `text[place]`."""
    if not 0 < place < len(text):
        return True
    before, after = text[place - 1], text[place]
    if not (is_wordlike(before) and is_wordlike(after)):
        return True
    return is_unspaced(before) or is_unspaced(after)


def native_readings(text: str) -> list[PromptReading]:
    """The text in its own script; then with spaced letters joined, stretched ones single and broken
    words whole, where that differs, and each run of spaced letters by itself. Empty where the text
    has no letters but Latin ones without marks."""
    if text.isascii():
        return []
    whole = PromptReading(tuple(_single_blanks(_with_cyrillic(_folded(text)))))
    found = [whole, _joined(whole), _single(whole), _unbroken(whole)]
    return [*{reading.text: reading for reading in found}.values(), *_runs(whole)]


def native(term: str) -> str:
    """A dictionary entry as the readings spell it."""
    return PromptReading(tuple(_folded(term))).text


def _folded(text: str) -> list[Cell]:
    return [(part, n, n + 1) for n, character in enumerate(text) for part in _fold(character)]


@lru_cache(maxsize=16384)
def _fold(character: str) -> str:
    if character == "\u0640":  # tatweel only stretches
        return ""
    parts = unicodedata.normalize("NFKD", character)
    if len(parts) > EXPANDED_MAX:
        return " "
    kept = "".join(c for c in parts if c.isspace() or _KEPT_MARK.match(c) or not is_unread(c))
    if not _KANA.match(parts):
        kept = unicodedata.normalize("NFKC", kept)
    return "".join(_letter(c) for c in kept.casefold()).translate(_FORMS)


def _letter(character: str) -> str:
    if character.isspace():
        return " "
    if "ァ" <= character <= "ヶ":
        return chr(ord(character) - 0x60)
    digit = unicodedata.digit(character, None)
    return character if digit is None else str(digit)


def _with_cyrillic(cells: list[Cell]) -> Iterator[Cell]:
    """Latin look-alikes within a Cyrillic word become Cyrillic."""
    word: list[Cell] = []
    for cell in [*cells, (" ", 0, 0)]:
        if cell[0] != " ":
            word.append(cell)
            continue
        text = "".join(c for c, _, _ in word)
        if _HAS_CYRILLIC.search(text) and _HAS_OTHER.search(text) and not text[:1].isdigit():
            yield from ((c.translate(_CYRILLIC), start, end) for c, start, end in word)
        else:
            yield from word
        yield cell
        word = []


def _single_blanks(cells: Iterator[Cell]) -> Iterator[Cell]:
    before = " "
    for cell in cells:
        if cell[0] != " " or before != " ":
            yield cell
        before = cell[0]


def _joined(reading: PromptReading) -> PromptReading:
    cells: list[Cell] = []
    place = 0
    for found in _SPACED.finditer(reading.text):
        cells += reading.cells[place : found.start()]
        cells += [c for c in reading.cells[found.start() : found.end()] if is_wordlike(c[0])]
        place = found.end()
    return PromptReading((*cells, *reading.cells[place:]))


def _runs(reading: PromptReading) -> Iterator[PromptReading]:
    """Letters that were spaced out, of scripts that have blanks between words."""
    for found in _SPACED.finditer(reading.text):
        cells = [c for c in reading.cells[found.start() : found.end()] if is_wordlike(c[0])]
        if not is_unspaced(cells[0][0]):
            yield PromptReading(tuple(cells), is_run=True)


def _unbroken(reading: PromptReading) -> PromptReading:
    """Without single signs within words, as hyphens between syllables."""
    signs = {found.start() for found in _BROKEN.finditer(reading.text)}
    return PromptReading(tuple(c for n, c in enumerate(reading.cells) if n not in signs))


def _single(reading: PromptReading) -> PromptReading:
    cells: list[Cell] = []
    place = 0
    for found in _STRETCHED.finditer(reading.text):
        cells += reading.cells[place : found.start() + 1]
        place = found.end()
    return PromptReading((*cells, *reading.cells[place:]))
