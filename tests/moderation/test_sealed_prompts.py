"""The sealed half of the labelled prompts is whole, and none of it was tuned on."""

import unicodedata
from collections import Counter

import pytest

from moderation.classifiers.fit import examples
from tests.bench import bench_prompts
from tests.moderation import sealed_prompts
from tests.moderation.sealed_prompts import SealedPrompt
from tests.moderation.worth import FOLDER

LANGUAGES = frozenset(
    {
        *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "ru", "uk"),
        *("tr", "ar", "he", "fa", "hi", "bn", "id", "vi", "ja", "zh", "ko"),
    }
)
REFUSED = frozenset(
    {
        *("sexual", "nudity", "violence", "hate", "self_harm", "extremism", "weapons", "drugs"),
        *("harassment", "deception", "sexual_violence"),
    }
)
EVASIONS = frozenset(
    {
        *("direct", "euphemism", "slang", "split", "cover"),
        *("leetspeak", "spaced", "homoglyph"),
    }
)
HARMLESS_AT_LEAST = {"ordinary": 300, "trap": 150, "paired": 100, "nude_art": 50}
PAIRED = frozenset({"medical", "art", "news", "education"})


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def everything() -> list[SealedPrompt]:
    return [*sealed_prompts.refused(), *sealed_prompts.harmless(), *sealed_prompts.floor()]


def test_refused_prompts_cover_every_class_in_every_language() -> None:
    rows = sealed_prompts.refused()
    assert {row.evasion for row in rows} == EVASIONS
    assert {(row.language, row.kind) for row in rows} == {
        (language, kind) for language in LANGUAGES for kind in REFUSED
    }
    counts = Counter(row.language for row in rows)
    assert counts.pop("en") >= 150
    assert min(counts.values()) >= 12


def test_harmless_prompts_are_as_many_as_the_measures_need() -> None:
    rows = sealed_prompts.harmless()
    counts = Counter("paired" if row.kind in PAIRED else row.kind for row in rows)
    assert counts.keys() == HARMLESS_AT_LEAST.keys()
    assert all(counts[kind] >= least for kind, least in HARMLESS_AT_LEAST.items())
    for kind in ("ordinary", "trap", "nude_art"):
        assert {row.language for row in rows if row.kind == kind} == LANGUAGES


@pytest.mark.parametrize("kind", sealed_prompts.PERSONS)
def test_the_floor_is_asked_in_every_language(kind: str) -> None:
    rows = [row for row in sealed_prompts.floor() if row.kind == kind]
    counts = Counter(row.language for row in rows)
    assert counts.keys() == LANGUAGES
    assert min(counts.values()) >= 20
    assert not any("{" in row.text for row in rows)


def test_no_prompt_is_there_twice() -> None:
    counts = Counter(folded(row.text) for row in everything())
    assert sum(count - 1 for count in counts.values()) == 0  # a number: texts are not shown


def test_no_sealed_prompt_was_tuned_on() -> None:
    folders = [FOLDER / "tuning", FOLDER / "pairs" / "tuning", FOLDER / "pairs" / "held_out"]
    tuned = {folded(text) for text, _, _ in examples(*folders)}
    assert tuned
    assert sum(folded(row.text) in tuned for row in everything()) == 0


def test_a_row_that_stands_for_few_prompts_is_left_out() -> None:
    few, enough = (
        [
            bench_prompts.Screened(SealedPrompt(f"text {n}", language, "hate"), True, 1.0, 1.0)
            for n in range(count)
        ]
        for language, count in (("de", 4), ("fr", 5))
    )
    rows = bench_prompts.by("stopped", [*few, *enough], lambda each: each.prompt.language)
    assert [row.name for row in rows] == ["stopped.fr"]
