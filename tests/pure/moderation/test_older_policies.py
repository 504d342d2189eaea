"""A version that a site made before there were concepts: what it says itself, on today's floor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from moderation.policy.rulebook import policy_document, word_rules

VERSION = "2026-11-of-a-site"


class Site:
    """In force: the policy that ships, as it was before concepts and the floor `intimate`."""

    def active_version(self, profile: str) -> str | None:
        return VERSION if profile == "adult" else None

    def document(self, version: str) -> dict[str, Any] | None:
        shipped = dict(policy_document.load("2026-12-adult").document)
        del shipped["lexicon"]
        categories = {n: body for n, body in shipped["categories"].items() if n != "intimate"}
        rules = [rule for rule in shipped["rules"] if "terms" in rule]
        made = {"version": VERSION, "categories": categories, "rules": rules}
        return shipped | made if version == VERSION else None


@pytest.fixture
def in_force() -> Iterator[policy_document.Rulebook]:
    before = policy_document._sources[:]
    policy_document.use_source(Site())
    policy_document.load.cache_clear()
    yield policy_document.active("adult")
    policy_document._sources[:] = before
    policy_document.load.cache_clear()


@pytest.mark.parametrize(
    ("text", "category"), [("Emma Watson nude", "intimate"), ("nude schoolgirl", "minors")]
)
def test_every_floor_that_ships_holds(
    in_force: policy_document.Rulebook, text: str, category: str
) -> None:
    hits = word_rules.match(in_force.rules, text, {}, in_force.words)
    scores = {hit.category: hit.score for hit in hits}
    assert in_force.judge(scores, stage="prompt") == "refuse"
    assert in_force.worst({category: scores[category]}, stage="prompt")


def test_what_it_refused_can_be_looked_up_under_its_name(
    in_force: policy_document.Rulebook,
) -> None:
    assert in_force.version == VERSION
    assert policy_document.find(VERSION).categories["intimate"].title


def test_its_digest_is_that_of_both(in_force: policy_document.Rulebook) -> None:
    assert in_force.sha256 != policy_document.load(VERSION).sha256
    assert in_force.sha256 != policy_document.load("2026-12-adult").sha256
