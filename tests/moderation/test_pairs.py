"""Harmful prompts and their blameless siblings, the half that no rule was written from."""

from __future__ import annotations

import pytest

from moderation.screening import classify
from tests.moderation import worth

pytestmark = pytest.mark.django_db
HELD_OUT = "pairs/held_out"


def not_allowed(name: str) -> float:
    texts = worth.prompts(HELD_OUT, name)
    assert len(texts) > 140
    return sum(classify.judge_prompt(text).verdict != "allow" for text in texts) / len(texts)


def test_what_the_policy_refuses_is_stopped() -> None:
    assert not_allowed("refused") >= 0.9


def test_medicine_art_news_and_education_about_it_pass() -> None:
    assert not_allowed("ordinary") <= 0.04


def test_no_half_has_a_prompt_of_the_other() -> None:
    halves = [
        {text.casefold() for name in ("refused", "ordinary") for text in worth.prompts(half, name)}
        for half in (HELD_OUT, "pairs/tuning")
    ]
    assert not halves[0] & halves[1]
