"""What a reviewer was shown is kept as JSON and read again as it was meant, also from old rows."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from moderation.subjects import evidence
from moderation.subjects.evidence import (
    AdapterEvidence,
    Evidence,
    EvidenceTooNew,
    PictureEvidence,
    RequestEvidence,
    ScreenedFile,
    StartedFrom,
    UsedAdapter,
    UsedModel,
)

MODEL = UsedModel("starter", "Starter", "ab" * 32)
FILE = ScreenedFile("17", "images/17.png", "cd" * 32)
RELEASED: dict[str, Any] = {
    "request": "3",
    "prompt": "a bowl",
    "negative_prompt": "",
    "model": MODEL,
    "adapters": (UsedAdapter("soft", "Soft", 0.5, "ef" * 32),),
    "seed": 7,
    "steps": 20,
    "guidance": 5.0,
    "width": 512,
    "height": 512,
    "policy_version": "general-3",
    "image": FILE,
}
SCREENED: dict[str, Any] = {"categories": {"nudity": 0.6}, "code": "held", "screening": "5"}
KINDS: dict[str, tuple[str, Evidence]] = {
    "prompt": (
        "prompt",
        RequestEvidence(**RELEASED | SCREENED | {"matched": ((2, 7, "bare"),), "image": None}),
    ),
    "image": (
        "image",
        RequestEvidence(**RELEASED, **SCREENED, source=StartedFrom(0.3, "ab" * 32, "16")),
    ),
    "upload": ("image", RequestEvidence(**RELEASED, **SCREENED, is_uploaded=True)),
    "reported": (
        "image",
        PictureEvidence(
            **RELEASED, created_at=datetime(2026, 11, 29, 8, 30, 1, 5, UTC), is_reported=True
        ),
    ),
    "adapter": (
        "adapter",
        AdapterEvidence(prompt="Ink", matched=(), model=MODEL, image=FILE, adapter={"rank": 8}),
    ),
    "adapter without examples": ("adapter", AdapterEvidence(prompt="Ink", adapter={})),
}


@pytest.mark.parametrize("name", KINDS)
def test_evidence_is_read_as_it_was_written(name: str) -> None:
    kind, shown = KINDS[name]
    assert evidence.read(kind, shown.to_json()) == shown


@pytest.mark.parametrize("name", KINDS)
def test_a_row_from_before_versions_reads_the_same(name: str) -> None:
    kind, shown = KINDS[name]
    row = shown.to_json()
    assert row.pop("version") == evidence.VERSION
    assert evidence.read(kind, row) == shown
    assert evidence.as_told(shown.to_json()) == row


def test_keys_are_those_that_reviewers_programs_know() -> None:
    """A prompt that starts from nothing and an adapter without pictures say so."""
    assert evidence.as_told(KINDS["prompt"][1].to_json()) == {
        "request": "3",
        "prompt": "a bowl",
        "negative_prompt": "",
        "model": {"slug": "starter", "name": "Starter", "digest": "ab" * 32},
        "adapters": [{"slug": "soft", "name": "Soft", "weight": 0.5, "sha256": "ef" * 32}],
        "source": {},
        "seed": 7,
        "steps": 20,
        "guidance": 5.0,
        "width": 512,
        "height": 512,
        "categories": {"nudity": 0.6},
        "policy_version": "general-3",
        "code": "held",
        "screening": "5",
        "matched": [[2, 7, "bare"]],
    }
    bare = KINDS["adapter without examples"][1].to_json()
    assert (bare["image"], bare["model"]) == ({}, {})


def test_a_row_of_a_newer_release_is_not_guessed_at() -> None:
    with pytest.raises(EvidenceTooNew):
        evidence.read("prompt", {"version": evidence.VERSION + 1})


def test_what_is_erased_or_hidden_is_none_of_it() -> None:
    row = KINDS["image"][1].to_json()
    erased = evidence.read("image", evidence.without_words(row))
    assert (erased.prompt, erased.image, erased.adapters) == (None, None, None)
    assert erased.categories == {"nudity": 0.6}
    blind = evidence.read("image", evidence.without_verdict(row))
    assert (blind.categories, blind.code, blind.screening) == (None, None, None)
    assert blind.prompt == "a bowl"


def test_every_part_that_can_be_hidden_is_a_part() -> None:
    """A part that is renamed here must not stay in sight there."""
    parts = {part.name for kind in (RequestEvidence, AdapterEvidence) for part in fields(kind)}
    assert (evidence._WORDS | evidence._VERDICT | evidence._OF_A_LABEL) - {"version"} <= parts
