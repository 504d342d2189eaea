"""One byte string for each value, and no other that reads as it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.log.formats import canonical_json

KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-canonical_json.MAX_INTEGER, canonical_json.MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(VALUES)
def test_value_round_trips(value: Any) -> None:
    assert canonical_json.decode(canonical_json.encode(value)) == value


@given(st.dictionaries(KEYS, SCALARS, min_size=2, max_size=6))
def test_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json.encode(value) == canonical_json.encode(turned)


@given(VALUES)
def test_other_spellings_of_the_same_value_are_refused(value: Any) -> None:
    plain = canonical_json.encode(value)
    for text in (json.dumps(value, indent=1), json.dumps(value) + " ", " " + json.dumps(value)):
        if text.encode() != plain:
            with pytest.raises(canonical_json.NotCanonical):
                canonical_json.decode(text.encode())


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), {"A": 1}, {"": 1}, {1: 1}, 2**53, b"x", "\ud800", {"a" * 65: 1}],
)
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(canonical_json.NotCanonical):
        canonical_json.encode(value)


def test_deep_nesting_is_refused() -> None:
    value: Any = 1
    for _ in range(18):
        value = [value]
    with pytest.raises(canonical_json.NotCanonical):
        canonical_json.encode(value)
    with pytest.raises(canonical_json.NotCanonical):
        canonical_json.decode(b"[" * 100_000)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        value = canonical_json.decode(data)
    except canonical_json.NotCanonical:
        return
    assert canonical_json.encode(value) == data
