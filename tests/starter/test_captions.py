"""Captions: what a picture is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generation.starter.corpus.captions import (
    bare_code,
    normalise,
    read_captions,
)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Woman Running: Dark Skin Tone", "woman running: dark skin tone"),
        ("fish & chips", "fish and chips"),
        ("Japanese “here” button", "japanese here button"),
        ("medium-light", "medium-light"),
    ],
)
def test_normalise_keeps_what_tells_captions_apart(label: str, expected: str) -> None:
    assert normalise(label) == expected


def test_bare_code_drops_the_variation_selector_only() -> None:
    assert bare_code("1F3C3-1F3FF-200D-2640-FE0F") == "1f3c3-1f3ff-200d-2640"


@pytest.fixture
def emojibase(tmp_path: Path) -> Path:
    rows = [
        {
            "label": "woman running",
            "hexcode": "1F3C3",
            "group": 1,
            "tags": ["marathon"],
            "skins": [{"label": "woman running: dark skin tone", "hexcode": "1F3C3-1F3FF"}],
        },
        {"label": "flag: Chad", "hexcode": "1F1F9", "group": 9},
        {"label": "keycap: 1", "hexcode": "0031-20E3", "group": 8},
        {"label": "red apple", "hexcode": "1F34E", "group": 4, "tags": ["fruit"]},
    ]
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "data.json").write_text(json.dumps(rows))
    return tmp_path


def test_read_captions_takes_skin_tones_and_leaves_flags_and_keycaps(emojibase: Path) -> None:
    captions = read_captions(emojibase)
    assert [caption.label for caption in captions.values()] == [
        "woman running",
        "woman running: dark skin tone",
        "red apple",
    ]
