"""Weights, parts and escapes of a prompt, and what is left of its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.policy.rulebook import prompt_readings, prompt_syntax
from moderation.policy.rulebook.prompt_syntax import WEIGHT_MAX, read


def weighed(prompt: str) -> list[tuple[str, float]]:
    """Runs of characters of one weight."""
    found = read(prompt)
    runs: list[tuple[str, float]] = []
    for character, weight in zip(found.text, found.weights, strict=True):
        if runs and runs[-1][1] == round(weight, 4):
            runs[-1] = (runs[-1][0] + character, runs[-1][1])
        else:
            runs.append((character, round(weight, 4)))
    return runs


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red kite", [("a red kite", 1.0)]),
        ("a (red) kite", [("a ", 1.0), ("red", 1.1), (" kite", 1.0)]),
        ("a ((red)) kite", [("a ", 1.0), ("red", 1.21), (" kite", 1.0)]),
        ("a [red] kite", [("a ", 1.0), ("red", 0.9091), (" kite", 1.0)]),
        ("a (red:1.3) kite", [("a ", 1.0), ("red", 1.3), (" kite", 1.0)]),
        ("(a (b:2) c: .5 )", [("a ", 0.5), ("b", 1.0), (" c", 0.5)]),
        ("((a):1.3)", [("a", 1.43)]),
        ("(a:1.0) b", [("a b", 1.0)]),
        ("(a:9) (b:-2)", [("a", 4.0), (" ", 1.0), ("b", 0.0)]),
        ("(a (b:5):0.5)", [("a ", 0.5), ("b", 2.0)]),
        ("((a:-1):-1)", [("a", 0.0)]),
        ("((x:" + "9" * 320 + "):0)", [("x", 0.0)]),
        ("(x:" + "9" * 320 + ")", [("x", 4.0)]),
        ("((x:0):" + "9" * 320 + ")", [("x", 0.0)]),
        (r"a \(b\) \[c\] \\(d)", [("a (b) [c] \\", 1.0), ("d", 1.1)]),
        ("(unbalanced", [("(unbalanced", 1.0)]),
        ("a smile :) or :(", [("a smile :) or :(", 1.0)]),
        ("(a [b) c]", [("a [b", 1.1), (" c]", 1.0)]),
        ("[a|b] [a:b:0.5] [a:0.5]", [("[a|b] [a:b:0.5] [a:0.5]", 1.0)]),
        ("ratio 3:2 stays", [("ratio 3:2 stays", 1.0)]),
        ("(ratio 3:2)", [("ratio 3", 2.0)]),
        ("(a|b)", [("a|b", 1.1)]),
        ("a:1.3)", [("a:1.3)", 1.0)]),
        ("(na)ked", [("na", 1.1), ("ked", 1.0)]),
        ("", []),
    ],
)
def test_a_prompt_is_read_with_its_weights(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert weighed(prompt) == expected


@pytest.mark.parametrize("prompt", ["((([[[a]]])))", "([([a])])", "((a:0.8):1.25)"])
def test_brackets_that_undo_each_other_weigh_exactly_one(prompt: str) -> None:
    assert set(read(prompt).weights) == {1.0}


def test_break_begins_a_part_and_weights_go_on_over_it() -> None:
    found = read("a (cat BREAK dog:2), BREAK BREAKFAST")
    assert [text.strip() for text, _ in found.parts] == ["a cat", "dog,", "BREAKFAST"]
    assert found.parts[1][1][1] == 2
    assert found.text == "a cat   dog,   BREAKFAST"


@pytest.mark.parametrize("prompt", ["", " ", "BREAK", "BREAK BREAK"])
def test_a_prompt_that_says_nothing_is_one_part(prompt: str) -> None:
    [(text, _)] = read(prompt).parts
    assert not text.strip()


@pytest.mark.parametrize("signs", ["()", "[]", "([)]", "(:1)", "(:9.9)"])
def test_brackets_ten_thousand_deep_are_read(signs: str) -> None:
    prompt = signs[:1] * 10_000 + "kite" + signs[1:] * 10_000
    found = read(prompt)
    assert "kite" in found.text
    assert all(0 <= weight <= WEIGHT_MAX for weight in found.weights)
    if signs in ("()", "[]"):
        assert found.text == "kite"


@given(st.text(alphabet="ab ()[]|:\\.19-BREAK", max_size=60))
def test_any_prompt_keeps_its_letters_in_order_and_knows_where_they_stood(prompt: str) -> None:
    found = read(prompt)
    assert len(found.text) == len(found.weights) == len(found.origins)
    assert list(found.origins) == sorted(set(found.origins))
    assert all(0 <= weight <= WEIGHT_MAX for weight in found.weights)
    for character, origin in zip(found.text, found.origins, strict=True):
        assert character in (prompt[origin], " ")


@given(st.text(alphabet="ab c,.:", max_size=40))
def test_what_has_no_syntax_is_read_as_it_is(prompt: str) -> None:
    found = read(prompt)
    assert (found.text, set(found.weights) <= {1.0}) == (prompt, True)


@pytest.mark.parametrize(
    ("prompt", "is_clamped"),
    [
        ("((a:3):3)", True),
        ("(" * 15 + "a" + ")" * 15, True),
        ("((a:2):2)", False),
        ("(a:9)", False),
    ],
)
def test_brackets_that_multiply_to_more_than_the_most_are_known(
    prompt: str, is_clamped: bool
) -> None:
    assert read(prompt).is_clamped is is_clamped


def test_numbers_that_are_no_weight_are_named() -> None:
    assert list(prompt_syntax.weights_beyond("(a:9) (b:1.5) (c:-1) [d:7]")) == ["9", "-1"]


def test_a_classifier_is_asked_the_whole_and_no_more_than_a_few_times_as_much() -> None:
    hostile = ("一" * 450 + "(二:0.5)，，，， BREAK ") * 5
    asked = prompt_readings.for_classifier(hostile)
    assert asked[0].count("一") == 450 * 5
    assert sum(map(len, asked)) <= prompt_readings.TOKENS_MAX
    assert prompt_readings.for_classifier("a cat BREAK a dog")[1:] == ["a cat", "a dog"]
