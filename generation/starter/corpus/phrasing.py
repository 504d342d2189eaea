"""How people ask for a picture: names and keywords in four languages, with articles, plurals,
colours, mediums and words left out.

Source: emojibase-data (MIT), whose labels and tags are CLDR's annotations, by code point.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from generation.starter.corpus.captions import FLAGS, bare_code, normalise

LANGUAGES = ("en", "de", "fr", "es")
LANGUAGE_SHARES = (0.52, 0.16, 0.16, 0.16)
COMMON_TAG = 4  # a keyword of more pictures than this names none of them
GROUP_WEIGHTS = {0: 0.7, 1: 1.0, 2: 0.2, 3: 2.5, 4: 2.5, 5: 2.0, 6: 2.0, 7: 1.8, 8: 0.25}
THINGS = range(3, 8)  # groups of animals, food, travel, activities and objects
_FACES = {"en": r" face$", "de": r"gesicht$", "fr": r"^tête d(?:e |')", "es": r"^cara de "}
_LEADS = {
    "en": ("a {}", "the {}", "one {}", "a {} icon", "a drawing of a {}", "a picture of a {}",
           "{} emoji", "{} on white", "a cute {}", "a simple {}", "my {}",
           "an illustration of a {}"),
    "de": ("ein {}", "eine {}", "das Bild von {}", "{} auf Weiß", "ein kleines {}", "mein {}"),
    "fr": ("un {}", "une {}", "le dessin de {}", "{} sur fond blanc", "un petit {}", "mon {}"),
    "es": ("un {}", "una {}", "el dibujo de {}", "{} sobre blanco", "un pequeño {}", "mi {}"),
}  # fmt: skip
COLOURS = {
    "red": ("red", "rot", "rouge", "rojo"),
    "orange": ("orange", "orange", "orange", "naranja"),
    "yellow": ("yellow", "gelb", "jaune", "amarillo"),
    "green": ("green", "grün", "vert", "verde"),
    "blue": ("blue", "blau", "bleu", "azul"),
    "purple": ("purple", "lila", "violet", "morado"),
    "pink": ("pink", "rosa", "rose", "rosa"),
    "black": ("black", "schwarz", "noir", "negro"),
}
NUMBERS = {2: ("two", "zwei", "deux", "dos"), 3: ("three", "drei", "trois", "tres"),
           4: ("four", "vier", "quatre", "cuatro")}  # fmt: skip
# Where the second thing lies as seen from the first: beside it, over it, under it, on it, with it.
JOINTS = {
    "beside": (
        ("{} and {}", "{} next to {}", "{} beside {}", "{} with {}"),
        ("{} und {}", "{} neben {}", "{} mit {}"),
        ("{} et {}", "{} à côté de {}", "{} avec {}"),
        ("{} y {}", "{} junto a {}", "{} con {}"),
    ),
    "under": (
        ("{} above {}", "{} over {}", "{} on {}", "{} on top of {}"),
        ("{} über {}", "{} auf {}"),
        ("{} au-dessus de {}", "{} sur {}"),
        ("{} sobre {}", "{} encima de {}"),
    ),
    "over": (
        ("{} below {}", "{} under {}"),
        ("{} unter {}",),
        ("{} sous {}",),
        ("{} bajo {}", "{} debajo de {}"),
    ),
    "worn": (
        ("{} with {}", "{} wearing {}", "{} in {}"),
        ("{} mit {}",),
        ("{} avec {}", "{} portant {}"),
        ("{} con {}", "{} que lleva {}"),
    ),
}
VOWELS = re.compile(r"\ba(?= [aeiou])")


@dataclass(frozen=True, slots=True)
class Names:
    """What one picture is called: for each of LANGUAGES its names, the first the best one."""

    code: str
    group: int
    subgroup: int
    variants: int
    names: tuple[tuple[str, ...], ...]
    emoji: str

    @property
    def weight(self) -> float:
        """How often training draws it: things before signs, one of many skin tones seldom."""
        return GROUP_WEIGHTS.get(self.group, 0.0) * float(self.variants**-0.75)

    @property
    def is_thing(self) -> bool:
        return self.group in THINGS or self.subgroup == 12


def _rows(emojibase: Path, language: str) -> dict[str, dict[str, object]]:
    """Bare code point to label and tags; those of skin tones among them."""
    found: dict[str, dict[str, object]] = {}
    for row in json.loads((emojibase / language / "data.json").read_text("utf-8")):
        skins = row.get("skins", [])
        for each in [row, *skins]:
            found[bare_code(each["hexcode"])] = {
                "label": normalise(each["label"]),
                "tags": [normalise(tag) for tag in row.get("tags", [])],
                "group": row.get("group", FLAGS),
                "subgroup": row.get("subgroup", -1),
                "variants": 1 + len(skins),
                "is_toned": each is not row,
                "emoji": each["emoji"],
            }
    return found


def _names(row: dict[str, object], language: str, seldom: set[str]) -> tuple[str, ...]:
    label = str(row["label"])
    short = re.sub(_FACES[language], "", label)
    said = [short, label] if short else [label]
    if not row["is_toned"]:
        tags = row["tags"]
        assert isinstance(tags, list)
        said += [tag for tag in tags if tag in seldom and len(tag) > 2]
    return tuple(dict.fromkeys(said))


def read_names(emojibase: Path) -> dict[str, Names]:
    """Bare code point to its names, from an unpacked emojibase-data; flags left out."""
    rows = {language: _rows(emojibase, language) for language in LANGUAGES}
    seldom = {
        language: {
            tag
            for tag, count in Counter(
                str(tag)
                for row in of.values()
                if not row["is_toned"]
                for tag in row["tags"]  # type: ignore[attr-defined]  # a list, by _rows
            ).items()
            if count <= COMMON_TAG
        }
        for language, of in rows.items()
    }
    found = {}
    for code, row in rows["en"].items():
        if row["group"] == FLAGS:
            continue
        found[code] = Names(
            code,
            int(str(row["group"])),
            int(str(row["subgroup"])),
            int(str(row["variants"])),
            tuple(
                _names(rows[language].get(code, row), language, seldom[language])
                for language in LANGUAGES
            ),
            str(row["emoji"]),
        )
    return found


def article(text: str) -> str:
    """'a apple' to 'an apple'."""
    return VOWELS.sub("an", text)


def pick_language(rng: random.Random) -> int:
    """Index into LANGUAGES, drawn by LANGUAGE_SHARES."""
    return rng.choices(range(len(LANGUAGES)), LANGUAGE_SHARES)[0]


def short(names: Names, language: int, rng: random.Random) -> str:
    """One name, mostly the best; with its article half of the time."""
    of = names.names[language]
    name = of[0] if rng.random() < 0.75 else rng.choice(of)
    if rng.random() < 0.6:
        lead = ("a {}", "ein {}", "un {}", "un {}")[language]
        name = article(lead.format(name))
    return name


def phrase(names: Names, rng: random.Random) -> str:
    """One way to ask for the picture alone."""
    if rng.random() < 0.03:
        return names.emoji
    language = pick_language(rng)
    of = names.names[language]
    name = of[0] if rng.random() < 0.5 else rng.choice(of)
    if rng.random() < 0.15 and len(of) > 1:
        name = f"{name} {rng.choice(of)}"
    if rng.random() < 0.55:
        leads = _LEADS[LANGUAGES[language]]
        name = leads[0].format(name) if rng.random() < 0.5 else rng.choice(leads).format(name)
    words = article(name).split()
    if len(words) > 3 and rng.random() < 0.1:
        words.pop(rng.randrange(len(words)))
    return " ".join(words)


def coloured(names: Names, colour: str, rng: random.Random) -> str:
    """The thing in a colour."""
    language = pick_language(rng)
    name, said = names.names[language][0], COLOURS[colour][language]
    text = f"{said} {name}" if language in (0, 1) else f"{name} {said}"
    if rng.random() < 0.6:
        text = ("a {}", "ein {}", "une {}", "un {}")[language].format(text)
    if rng.random() < 0.1 and language == 0:
        text = f"{text} {rng.choice(('icon', 'emoji', 'on white'))}"
    return article(text)


def counted(names: Names, count: int, rng: random.Random) -> str:
    """Several of the thing; English plurals, the others as they are."""
    language = pick_language(rng)
    name = names.names[language][0]
    if language == 0 and not name.endswith("s"):
        ending = "es" if name.endswith(("x", "ch", "sh")) else "s"
        name = f"{name[:-1]}ies" if re.search(r"[^aeiou]y$", name) else name + ending
    elif language in (2, 3) and name[-1] in "aeéoi":
        name += "s"
    return f"{NUMBERS[count][language]} {name}"


def joined(first: Names, second: Names, relation: str, rng: random.Random) -> str:
    """Two things and where the second one is; `relation` is a key of JOINTS."""
    language = pick_language(rng)
    joint = rng.choice(JOINTS[relation][language])
    return joint.format(short(first, language, rng), short(second, language, rng))
