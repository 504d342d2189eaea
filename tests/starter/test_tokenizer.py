"""The tokenizer: one word is one token, and nothing that people type can break it."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from generation.starter.networks.tokenizer import LENGTH, build, encode, spare_ids

WORDS = ["a", "apple", "dark", "running", "skin", "tone", "woman"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokenizer")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> CLIPTokenizer:
    return build(WORDS, folder)


def test_a_known_word_is_one_token(tokenizer: CLIPTokenizer) -> None:
    assert [len(tokenizer(word).input_ids) - 2 for word in WORDS] == [1] * len(WORDS)


def test_a_caption_survives_the_round_trip(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer("woman running dark skin tone").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "woman running dark skin tone"


def test_upper_case_reads_like_lower_case(tokenizer: CLIPTokenizer) -> None:
    assert encode(tokenizer, ["A Running WOMAN"]) == encode(tokenizer, ["a running woman"])


@pytest.mark.parametrize("text", ["", "zyzzyva", "🍎" * 40, "تفاحة", "a\x00b", "woman " * 100])
def test_anything_typed_becomes_a_full_row_of_known_ids(
    tokenizer: CLIPTokenizer, text: str
) -> None:
    (row,) = encode(tokenizer, [text])
    assert len(row) == LENGTH
    assert all(0 <= index < len(tokenizer) for index in row)


def test_the_saved_tokenizer_reads_the_same(tokenizer: CLIPTokenizer, folder: Path) -> None:
    again = CLIPTokenizer.from_pretrained(folder)
    texts = ["woman running: dark skin tone", "zyzzyva"]
    assert encode(again, texts) == encode(tokenizer, texts)


def test_spare_ids_are_those_that_no_caption_uses(tokenizer: CLIPTokenizer) -> None:
    spare = spare_ids(tokenizer, WORDS)
    used = {index for row in encode(tokenizer, ["woman: dark, skin-tone"]) for index in row}
    assert spare
    assert not used & set(spare)
