"""One rule at a time: where it speaks, and what keeps it silent."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.policy.rulebook.concept_rules import RuleMatch
from moderation.policy.rulebook.word_rules import WordRule, match

LISTS = {"people": ["woman", "man"], "knives": ["knife", "long blade"]}
HERBS = {"id": "herbs.sold", "category": "drugs", "score": 0.8, "terms": ["weed", "pot", "hemp*"]}


def found(text: str, *, learned: dict[str, float] | None = None, **more: Any) -> list[str]:
    """The words of `text` that a rule of `HERBS` with `more` matches."""
    rule = WordRule.parse(HERBS | more, LISTS)
    return [text[hit.start : hit.end] for hit in match([rule], text, learned or {})]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a weed in a pot", ["weed", "pot"]),
        ("seaweed, potatoes, spot", []),
        ("hempseed and HEMP", ["hempseed", "HEMP"]),
        ("hem", []),
        ("", []),
    ],
)
def test_words_match_as_wholes_and_a_star_takes_any_ending(text: str, words: list[str]) -> None:
    assert found(text) == words


def test_words_of_a_term_may_be_apart_by_signs() -> None:
    assert found("a long - blade", terms=["=knives"]) == ["long - blade"]
    assert found("a longblade", terms=["=knives"]) == []


@pytest.mark.parametrize(
    "typed",
    [
        "(we)ed",
        "(we:1)(ed:1)",
        "[we]ed",
        "((((we:0.3)e:2)d))",
        "(" * 10_000 + "we" + ")" * 10_000 + "ed",
        "we(xx:0)ed",
        "(we:9)ed (x",
        r"w\(ee\)d",
        "(we BREAK:1)ed weed",
    ],
)
def test_no_brackets_hide_a_word_from_a_rule(typed: str) -> None:
    rule = WordRule.parse(HERBS, LISTS)
    hits = match([rule], typed, {})
    assert hits
    assert all(0 <= hit.start < hit.end <= len(typed) for hit in hits)
    assert "".join(filter(str.isalpha, typed[hits[0].start : hits[0].end])) in (
        "weed",
        "wexxed",
    )


@pytest.mark.parametrize("typed", ["weed (museum:0.1)", "weed [museum]", "weed (mus:0)(eum:0)"])
def test_what_is_weakened_excuses_nothing(typed: str) -> None:
    assert found("weed in a (museum)", unless=["museum"]) == []
    assert found(typed, unless=["museum"]) == ["weed"]


@pytest.mark.parametrize(
    ("typed", "is_excused"),
    [
        ("weed garden tool", True),
        ("weed (garden), [a] (tulip) tool", True),
        ("weed ((gar)den:1) tool", True),
        ("(weed:1.3), (garden tool:1.3)", True),
        ("(weed:0.5) garden tool", True),
        ("weed garden (shop:0.99) tool", False),
        ("weed garden[,] tool", False),
        ("weed (beer:0)garden tool", False),
        ("weed (beer:0)garden (x:0)", False),
        ("weed garden BREAK tool", False),
        ("garden BREAK tool weed", False),
        ("weed, tulip(y:0)", False),
        ("weed, tulip", True),
        ("(weed:4), garden tool", False),
        ("(weed), garden tool", False),
        ("(weed:4), (garden tool:3.9)", False),
        ("a weed, a [(weed:4)], (garden tool:3)", False),
        ("w(ee)d, garden tool", False),
    ],
)
def test_an_excuse_stands_together_and_is_as_strong_as_what_it_excuses(
    typed: str, is_excused: bool
) -> None:
    assert (found(typed, unless=["garden tool", "tulip*"]) == []) is is_excused


def test_an_excuse_is_as_strong_as_the_company_too() -> None:
    alone: dict[str, Any] = {"with": ["=people"], "unless": ["museum"]}
    assert found("a woman with weed in a museum", **alone) == []
    assert found("a (woman:2) with weed in a museum", **alone) == ["weed"]


@pytest.mark.parametrize(
    "typed",
    [
        "_weed_",
        "a_weed_in_a_pot",
        "1weed",
        "weed2",
        "1" * 75 + "weed",
        "\uff3fweed\uff3f",
        "\u00b2weed",
        "\u2168weed",
        "x\u0489weed",
        "'dweed",
        "_w33d_",
        "_we(x:0)ed_",
    ],
)
def test_words_that_the_model_alone_parts_are_found(typed: str) -> None:
    assert found(typed)
    assert found(typed + " museum", unless=["museum"]) == []
    assert found(typed + "_museum", unless=["museum"]) == []


def test_company_that_the_model_alone_parts_is_found() -> None:
    alone: dict[str, Any] = {"with": ["=people"]}
    assert found("_woman_ weed", **alone) == ["weed"]


@pytest.mark.parametrize("typed", ["weed, a_museum", "weed, 1museum", "weed museum2"])
def test_what_the_model_alone_parts_excuses_nothing_else(typed: str) -> None:
    assert found(typed, unless=["museum"]) == ["weed"]


@pytest.mark.parametrize("typed", ["seaweed_x", "sea\u0301weed", "weed's'door", "5potatoes"])
def test_no_word_is_parted_that_the_model_reads_whole(typed: str) -> None:
    assert found(typed, terms=["pot", "sweed", "door's"]) == []


def test_match_says_where_by_which_rule_and_how_sure() -> None:
    [hit] = match([WordRule.parse(HERBS, LISTS)], "a weed", {})
    assert hit == RuleMatch(2, 6, "herbs.sold", "drugs", 0.8)


def test_matches_come_in_order_and_once() -> None:
    other = WordRule.parse(HERBS | {"id": "other", "terms": ["a"]}, LISTS)
    hits = match([WordRule.parse(HERBS, LISTS), other, other], "weed in a weed", {})
    assert [(hit.start, hit.rule) for hit in hits] == [
        (0, "herbs.sold"),
        (8, "other"),
        (10, "herbs.sold"),
    ]


def test_the_rest_of_a_greater_number_is_no_term() -> None:
    ages = ["five year old*", "5 year old*"]
    assert found("a thirty five year old, a 2.5 year old oak", terms=ages) == []
    assert found("a five year old, a 5 year old", terms=ages) == ["five year old", "5 year old"]


def test_spaced_out_letters_are_read_without_borders_from_four_letters_on() -> None:
    """Shorter words would be found in any run of letters: they have to be all of it."""
    assert found("s e a w e e d") == ["w e e d"]
    assert found("s p o t s") == []
    assert found("p o t") == ["p o t"]


def test_company_is_asked_for_where_a_rule_names_it() -> None:
    alone: dict[str, Any] = {"with": ["=people"]}
    assert found("weed", **alone) == []
    assert found("a woman with weed", **alone) == ["weed"]
    assert found("womanly weed", **alone) == []
    assert found("w o m a n of weed", **alone) == ["weed"]


def test_excuse_silences_a_rule() -> None:
    excused: dict[str, Any] = {"unless": ["garden*", "=knives"]}
    assert found("weed", **excused) == ["weed"]
    assert found("weed of a gardener", **excused) == []
    assert found("weed and a knife", **excused) == []


@pytest.mark.parametrize(
    ("learned", "is_found"),
    [({}, False), ({"drugs": 0.29}, False), ({"drugs": 0.3}, True), ({"hate": 0.3}, True)],
)
def test_learned_scores_are_asked_for_where_a_rule_names_them(
    learned: dict[str, float], is_found: bool
) -> None:
    asked: dict[str, Any] = {"with_learned": {"categories": ["drugs", "hate"], "at_least": 0.3}}
    assert bool(found("weed", learned=learned, **asked)) == is_found


def test_list_that_is_not_defined_is_named() -> None:
    with pytest.raises(KeyError, match="fruit"):
        WordRule.parse(HERBS | {"terms": ["=fruit"]}, LISTS)
