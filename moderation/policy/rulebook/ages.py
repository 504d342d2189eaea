"""Numbers from 1 to 17 that may be an age, for the sign ``#`` of a lexicon's entries. Pure.

A number is none where it is part of a greater one (a decimal, *thirty five*, 二十五) or counts
something else (*8k*, *1.75m*, *5'9*, *1girl*).
"""

import regex

from moderation.policy.rulebook.characters import is_wordlike
from moderation.policy.rulebook.prompt_readings import canonical
from moderation.policy.rulebook.scripts import is_border

AGE_MAX = 17
_HAN_NUMBERS = {"一二三四五六七八九十"[n - 1] for n in range(1, 11)} | {
    "十" + "一二三四五六七"[n - 1] for n in range(1, 8)
}
_HAN_BEFORE = frozenset("二三四五六七八九十百两")
_DECIMAL_BEFORE = regex.compile(r"\d[.,'’]\Z")
_DECIMAL_AFTER = regex.compile(r"[.,]\d|\s?['’′″\"]\s?(?!s\b)")
_MEASURE = regex.compile(
    r"[ -]?(?:k|m|cm|mm|km|ft|feet|foot|inch\w*|met(?:er|re)s?|kg|lbs?|mp|hours?|minutes?|seconds?"
    r"|days?|weeks?|percent|girls?|boys?|(?:wo)?men|people|persons?|others?|of|x)\b|\s?%"
)
_CLAUSE_SIGNS = {"", ",", ";", "("}
_CLAUSE_ENDS = regex.compile(r"\s?(?:\Z|[,;)])")
_UNIT = regex.compile(r"(?:one|two|three|four|five|six|seven|eight|nine)\b")
_SPELT_ENDS = regex.compile(r"\s*(?:\Z|[^\w\s'’-])|[ -](?:years?|yrs?|yo)\b")
_TENS = """twenty, thirty, forty, fifty, sixty, seventy, eighty, ninety, hundred,
    zwanzig, dreißig, vierzig, fünfzig, sechzig, siebzig, achtzig, neunzig, hundert,
    vingt, trente, quarante, cinquante, soixante, septante, octante, huitante, nonante, cent,
    veinte, treinta, cuarenta, cincuenta, sesenta, setenta, ochenta, noventa, cien, ciento,
    vinte, trinta, quarenta, cinquenta, sessenta, oitenta, cento,
    venti, trenta, quaranta, cinquanta, sessanta, settanta, ottanta, novanta,
    twintig, dertig, veertig, vijftig, zestig, zeventig, tachtig, negentig, honderd,
    tjugo, trettio, fyrtio, femtio, sextio, sjuttio, åttio, nittio, hundra,
    dwadzieścia, trzydzieści, czterdzieści, pięćdziesiąt, sześćdziesiąt, siedemdziesiąt,
    osiemdziesiąt, dziewięćdziesiąt, sto, yirmi, otuz, kırk, elli, altmış, yetmiş, seksen, doksan,
    yüz, двадцать, тридцать, сорок, пятьдесят, шестьдесят, семьдесят, восемьдесят, девяносто, сто,
    двадцять, п'ятдесят, шістдесят, сімдесят, вісімдесят, дев'яносто,
    스물, 서른, 마흔, 쉰, 예순, 일흔, 여든, 아흔, 백"""
_LONGEST = 32  # characters before a number that are looked at


def _tens() -> regex.Pattern[str]:
    words = [each.strip() for each in _TENS.split(",")]
    spelt = {way for word in words for way in (word, word.replace("ı", "i"))}
    spelt |= {canonical(word).text for word in spelt}
    joined = "|".join(regex.escape(word) for word in sorted(spelt))
    between = r"(?:[\s-]+(?:y|e|et|and|und|en|och|dix|diez))?[\s-]*"
    return regex.compile(rf"(?<!\w)(?:{joined}){between}\Z")


_AFTER_TENS = _tens()


def digits_end(text: str, place: int) -> int | None:
    """Where a number in digits ends that begins here and may be an age."""
    end = place
    while end < len(text) and text[end].isdecimal():
        end += 1
    if end == place or end - place > 2 or not 1 <= int(text[place:end]) <= AGE_MAX:
        return None
    before = text[max(place - 2, 0) : place]
    if before[-1:].isdecimal() or _DECIMAL_BEFORE.search(before) or _DECIMAL_AFTER.match(text, end):
        return None
    return end


def han_ends(text: str, place: int) -> list[int]:
    """Where numbers in Han numerals end that begin here."""
    before = text[place - 1] if place else ""
    if before in _HAN_BEFORE:
        return []
    return [place + n for n in (1, 2) if text[place : place + n] in _HAN_NUMBERS]


def is_after_tens(text: str, place: int) -> bool:
    """Whether the number word that begins here is the rest of a greater one."""
    return _AFTER_TENS.search(text[max(place - _LONGEST, 0) : place]) is not None


def is_rest_of_number(text: str, place: int) -> bool:
    """Whether what begins here begins with the last part of a greater number (*thirty five*)."""
    if text[place].isdecimal():
        return _DECIMAL_BEFORE.search(text[max(place - 2, 0) : place]) is not None
    return _UNIT.match(text, place) is not None and is_after_tens(text, place)


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether an entry that ends in a number may end here: digits where no measure or count
    follows, words where nothing follows, or a sign, or the word years."""
    if text[start].isdecimal():
        return is_border(text, end) and _MEASURE.match(text, end) is None
    return _SPELT_ENDS.match(text, end) is not None


def is_clause(text: str, start: int, end: int) -> bool:
    """Whether a number of two digits is all that stands between two commas or ends."""
    before = text[:start].rstrip()[-1:]
    return (
        end - start == 2 and before in _CLAUSE_SIGNS and _CLAUSE_ENDS.match(text, end) is not None
    )


def is_beside(text: str, place: int) -> bool:
    """Whether a number that begins here touches the word before it, or a blank or hyphen lies
    between."""
    before = text[place - 1]
    return is_wordlike(before) or before in " -־" and is_wordlike(text[place - 2])


def after_number(text: str, place: int) -> int | None:
    """Where the next word begins after a number that ends here; None where a clause ends."""
    end = place
    while end < len(text) and not is_wordlike(text[end]):
        if text[end] in ",;:!?|\n":
            return None
        end += 1
    return end
