"""A project's overlay only ever tightens the house's policy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.policy.rulebook import overlay, policy_document, word_rules
from moderation.policy.rulebook.overlay import OverlayInvalid

BOOK = policy_document.load(policy_document.ACTIVE["general"])
RANK = policy_document.RANK
NAMES = sorted(BOOK.categories)


def laid(**document: Any) -> policy_document.Rulebook:
    made = overlay.parse(document, version="p/1")
    overlay.check(made, over=BOOK)
    return overlay.laid_over(BOOK, made)


def judged(book: policy_document.Rulebook, text: str) -> str:
    found = word_rules.match(book.rules, text, {}, book.words)
    scores: dict[str, float] = {}
    for hit in found:
        scores[hit.category] = max(scores.get(hit.category, 0.0), hit.score)
    return book.judge(scores, stage="prompt")


def test_without_an_overlay_the_policy_is_the_houses() -> None:
    assert overlay.laid_over(BOOK, None) is BOOK


def test_a_lower_threshold_holds_sooner() -> None:
    pair = {"hold": 0.1, "refuse": 0.2}
    book = laid(thresholds={"violence": {"image": pair}})
    assert book.judge({"violence": 0.15}, stage="image") == "hold"
    assert book.judge({"violence": 0.25}, stage="image") == "refuse"
    assert book.judge({"violence": 0.15}, stage="prompt") == BOOK.judge(
        {"violence": 0.15}, stage="prompt"
    )


def test_a_higher_one_is_told() -> None:
    with pytest.raises(OverlayInvalid) as told:
        laid(thresholds={"violence": {"image": {"hold": 2, "refuse": 2}}})
    assert "lies no higher" in told.value.message


@given(
    stage=st.sampled_from(["prompt", "image"]),
    name=st.sampled_from(NAMES),
    hold=st.floats(0.001, 2),
    refuse=st.floats(0.001, 2),
    held=st.lists(st.sampled_from(NAMES)),
    score=st.floats(0, 1),
)
def test_nothing_is_ever_judged_more_laxly(
    stage: Any, name: str, hold: float, refuse: float, held: list[str], score: float
) -> None:
    """Also by an overlay that was checked against a laxer policy than holds now."""
    made = overlay.parse(
        {
            "thresholds": {name: {stage: {"hold": hold, "refuse": refuse}}},
            "hold": held,
            "block": [{"term": "heron", "category": name, "action": "hold"}],
        },
        version="p/1",
    )
    book = overlay.laid_over(BOOK, made)
    for each in NAMES:
        ours = book.judge({each: score}, stage=stage)
        assert RANK[ours] >= RANK[BOOK.judge({each: score}, stage=stage)]
    assert set(BOOK.rules) <= set(book.rules)


def test_a_category_can_be_held_for_a_person() -> None:
    book = laid(hold=["violence"])
    assert RANK[book.judge({"violence": 0.5}, stage="prompt")] >= RANK["hold"]
    assert RANK[book.judge({"violence": 0.5}, stage="image")] >= RANK["hold"]


@pytest.mark.parametrize(("action", "verdict"), [("hold", "hold"), ("refuse", "refuse")])
def test_an_own_word_is_held_or_refused(action: str, verdict: str) -> None:
    book = laid(block=[{"term": "heron", "category": "violence", "action": action}])
    assert judged(BOOK, "a grey heron") == "allow"
    assert judged(book, "a grey heron") == verdict
    assert judged(book, "a gr3y H3R0N") == verdict
    assert judged(book, "a red apple") == "allow"


def test_context_excuses_an_own_word_and_never_the_houses() -> None:
    block = [{"term": "heron", "category": "violence", "with": ["dead"], "unless": ["museum"]}]
    book = laid(block=block, allow=["biology"])
    assert judged(book, "a heron") == "allow"
    assert judged(book, "a dead heron") == "refuse"
    assert judged(book, "a dead heron, museum") == "allow"
    assert judged(book, "a dead heron, biology") == "allow"
    strict = next(
        text
        for text in ("a beheaded man", "gore, dismembered body", "a nude woman", "naked woman")
        if judged(BOOK, text) != "allow"
    )
    assert judged(book, f"{strict}, biology, museum") == judged(BOOK, f"{strict}, biology, museum")


@pytest.mark.parametrize(
    "document",
    [
        {"rules": []},
        {"hold": ["no such category"]},
        {"hold": "violence"},
        {"block": [{"term": "", "category": "violence"}]},
        {"block": [{"term": "=minors", "category": "violence"}]},
        {"block": [{"term": "x" * 81, "category": "violence"}]},
        {"block": [{"term": "heron", "category": "violence", "action": "allow"}]},
        {"block": ["heron"]},
        {"thresholds": {"violence": {"video": {"hold": 0.1, "refuse": 0.1}}}},
        {"thresholds": {"violence": {"image": {"hold": 0.1}}}},
        {"thresholds": {"violence": {"image": {"hold": True, "refuse": 0.1}}}},
        {"thresholds": {"violence": {"image": {"hold": 0, "refuse": 0.1}}}},
        {"thresholds": {"violence": {"image": {"hold": float("nan"), "refuse": 0.1}}}},
        {"thresholds": []},
    ],
)
def test_what_is_no_overlay_is_told(document: dict[str, Any]) -> None:
    with pytest.raises(OverlayInvalid):
        laid(**document)


def test_the_house_stays_stricter_when_it_becomes_so() -> None:
    made = overlay.parse(
        {"thresholds": {"violence": {"image": {"hold": 0.9, "refuse": 0.9}}}, "hold": ["gone"]},
        version="p/1",
    )
    book = overlay.laid_over(BOOK, made)
    house = BOOK.categories["violence"].thresholds["image"]
    assert book.categories["violence"].thresholds["image"].hold <= house.hold
