"""What rules over concepts cost: the work grows with the prompt, and no faster."""

from __future__ import annotations

from collections import Counter

import pytest

from moderation.policy.rulebook import concept_rules
from tests.pure.moderation.test_lexicon import judged

HOSTILE = [
    "医学" * 300 + "好" * 20 + "裸" * 1300,
    ("anti " * 200 + "a b c d e f g h i j " + "suicide " * 120)[:2000],
    "museum nude " * 160,
    "医学裸 " * 500,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_contexts_are_asked_in_proportion_to_the_prompt(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Counter[str]()
    governs, words = concept_rules.Prompt.governs, concept_rules._words

    def counted(prompt: concept_rules.Prompt, *places: tuple[int, int], **reach: str) -> bool:
        read["asked"] += 1
        return governs(prompt, *places, **reach)  # type: ignore[arg-type]  # passed on as they come

    def measured(between: str) -> int:
        read["characters"] += len(between)
        return words(between)

    monkeypatch.setattr(concept_rules.Prompt, "governs", counted)
    monkeypatch.setattr(concept_rules, "_words", measured)
    assert judged(text)[0] != "allow"
    assert read["asked"] <= 4 * len(text)
    assert read["characters"] <= concept_rules.GOVERNING_CHARACTERS * read["asked"]


def test_a_context_far_away_governs_nothing() -> None:
    far = "anatomical " + "x" * 101 + " nude"
    assert judged(far)[0] == "refuse"
    assert judged("anatomical nude")[0] != "refuse"
