"""What a picture shows beside the words of its prompt."""

from __future__ import annotations

import pytest

from moderation.policy.rulebook import lexicon, policy_document, word_rules
from moderation.policy.rulebook.mentions import Mention
from tests.pure.moderation.test_lexicon import judged

WORDS = lexicon.load("2026-12")


def shown(**said: object) -> frozenset[str]:
    return word_rules.beside(WORDS, **({"shows_person": False} | said))  # type: ignore[arg-type]  # as named


@pytest.mark.parametrize("profile", policy_document.ACTIVE)
@pytest.mark.parametrize("name", ["Emma Watson v2, emw4tson", "my ex, myex style", "голая актриса"])
def test_an_adapter_named_after_a_person_undresses_nobody(name: str, profile: str) -> None:
    verdict, categories = judged("a nude woman", profile, shows=shown(names=[name]))
    assert verdict == "refuse"
    assert "intimate" in categories
    assert judged("a portrait at dusk", profile, shows=shown(names=[name])) == ("allow", set())


@pytest.mark.parametrize("profile", policy_document.ACTIVE)
def test_an_adapter_named_after_children_sexualises_nobody(profile: str) -> None:
    shows = shown(names=["schoolgirl style, sch00l"])
    verdict, categories = judged("a nude figure", profile, shows=shows)
    assert verdict == "refuse"
    assert "minors" in categories


def test_an_adapter_of_a_style_says_nothing() -> None:
    assert not shown(names=["Nude lipstick, watercolour", "Blue tits, tit bird"])


@pytest.mark.parametrize(
    "negative",
    [
        *("clothes", "blurry, (clothing:1.4), hat", "[dress], ugly", "any clothes", '"clothes"'),
        *(
            "clothes bad hands",
            "clothes and shoes",
            "clothes!!",
            "{clothes}",
            "blurry. the clothes",
        ),
    ],
)
def test_a_negative_prompt_that_takes_clothes_away_is_held_with_somebody(negative: str) -> None:
    shows = shown(negative=negative)
    for who, category in (("my ex on a sofa", "intimate"), ("a schoolgirl", "minors")):
        verdict, categories = judged(who, shows=shows)
        assert verdict == "hold"
        assert category in categories
    assert judged("a woman on a sofa", shows=shows)[0] == "hold"


@pytest.mark.parametrize("negative", ["nsfw, nude, naked", "wrinkled clothes", "blurry", ""])
def test_a_negative_prompt_that_keeps_nudity_away_stops_nothing(negative: str) -> None:
    assert judged("a schoolgirl reads", shows=shown(negative=negative)) == ("allow", set())


def test_a_negative_prompt_is_asked_about_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def said(_: lexicon.Lexicon, text: str) -> list[Mention]:
        asked.append(text)
        return []

    monkeypatch.setattr(lexicon.Lexicon, "said", said)
    shown(negative=",".join(f"clothes{n}x" for n in range(5_000)))
    assert len(asked) <= word_rules.CLAUSES_MAX
