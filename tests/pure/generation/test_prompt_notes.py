"""What of a prompt had no effect is said once, by kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.request_rules.prompt_notes import SYNTAX, of_prompts


def codes(
    prompt: str,
    negative: str = "",
    cut: int = 0,
    negative_cut: int = 0,
    has_parts: bool = True,
    has_weights: bool = True,
) -> list[str]:
    notes = of_prompts(
        prompt,
        negative,
        dropped_tokens=cut,
        dropped_negative_tokens=negative_cut,
        has_parts=has_parts,
        has_weights=has_weights,
    )
    return [note["code"] for note in notes]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a (red:1.3) apple", []),
        ("a (red apple: .8)", []),
        ("a [red] ((apple)) BREAK a pear", []),
        ("a (red:5) apple", ["prompt_weight"]),
        ("a (red:-1) apple", ["prompt_weight"]),
        ("a ((red:3):3) apple", ["prompt_weight"]),
        ("a ((red:9):3) apple", ["prompt_weight"]),
        ("a ((red:2):2) apple", []),
        (r"a \[red|green\] apple", []),
        ("an apple <lora:flat:0.8>", ["prompt_adapter_tag"]),
        ("an apple, embedding:easynegative", ["prompt_embedding"]),
        ("a {red|green} apple", ["prompt_alternatives"]),
        ("a [red|green] apple", ["prompt_alternatives"]),
        ("a [red:green:0.5] apple", ["prompt_schedule"]),
        ("a [red:0.5] [red::0.5] apple", ["prompt_schedule"]),
        ("a ([red|green]:1.2) apple", ["prompt_alternatives"]),
        ("a cat++ on (a mat)--", ["prompt_signs"]),
        ("a tree, ripe++++, blurry--", ["prompt_signs"]),
        ("a cat --ar 16:9 --v 6", ["prompt_switch"]),
        ("a cat --no", ["prompt_switch"]),
        ("a __colour__ cat", ["prompt_wildcard"]),
        ("a cat, __animals/small*__", ["prompt_wildcard"]),
        ("a cat AND a dog", ["prompt_and"]),
        ("a book on C++, an A+, vitamin C+ and a well-known cat -- black", []),
        ("A CAT AND A DOG", []),
        ("a snake__case name, an AND gate's cat-", ["prompt_and"]),
        ("(a:1.2) (b:1.3) [c] [d]", []),
        ("a red apple (a Cox) at 16:9, take a break; BREAKFAST {x}", []),
        ("a smile :) and a ratio (3:4 or so)", []),
        ("", []),
    ],
)
def test_each_kind_is_told_once(prompt: str, expected: list[str]) -> None:
    assert codes(prompt) == expected


def test_a_note_quotes_what_was_written_and_says_why() -> None:
    first, second = of_prompts(
        "a [red|green] (apple:7)", "", dropped_tokens=0, dropped_negative_tokens=0
    )
    assert first["message"] == (
        "“[red|green]” was read as it is written: none of the alternatives is chosen."
    )
    assert second["message"] == "“7” is no weight from 0 to 4, so the nearer of the two was taken."


def test_what_brackets_multiply_to_is_told() -> None:
    [note] = of_prompts("((a:3):3)", "", dropped_tokens=0, dropped_negative_tokens=0)
    assert note["message"] == "Brackets within brackets multiply to more than 4, so 4 was taken."


def test_break_is_told_of_where_a_model_reads_a_prompt_as_a_whole() -> None:
    assert codes("a cat BREAK a dog", has_parts=False) == ["prompt_break"]
    assert codes("a cat", "grey BREAK dull", has_parts=False) == ["prompt_break"]
    assert codes("take a break, (BREAKFAST)", has_parts=False) == []


def test_the_negative_prompt_is_read_too_and_told_once() -> None:
    assert codes("a [red|green] apple", "{blue|grey} (dull:9)") == [
        "prompt_alternatives",
        "prompt_weight",
    ]


def test_what_was_cut_is_told_of_both() -> None:
    assert codes("a", "b", cut=3, negative_cut=4) == [
        "prompt_truncated",
        "negative_prompt_truncated",
    ]
    notes = of_prompts("a", "b", dropped_tokens=3, dropped_negative_tokens=4)
    assert "last 3 tokens" in notes[0]["message"]
    assert "negative prompt" in notes[1]["message"]


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert set(codes(text, text)) <= {*SYNTAX, "prompt_weight"}


@pytest.mark.parametrize(
    "opening",
    [
        "(" * 2000,
        "[" * 2000,
        "{a|" * 600,
        "<lora:" * 300,
        "(a:" * 600,
        "__a" * 600,
        "a+" * 900,
        "(a)" + "+" * 900 + "b",
    ],
)
def test_what_never_closes_is_read_in_bounded_work(opening: str) -> None:
    assert codes(opening) == []


def test_a_model_that_weighs_no_words_says_so() -> None:
    assert codes("a (red:1.3) kite", has_weights=False) == ["prompt_weights"]
    assert codes("a kite", "[grey]", has_weights=False) == ["prompt_weights"]
    assert codes("a (red:9) kite", has_weights=False) == ["prompt_weights"]
    assert codes("a (red:1) kite", has_weights=False) == []
