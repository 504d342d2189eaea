"""Policies as data: they fit the schema, and no profile lowers a floor."""

import json
from copy import deepcopy
from datetime import date
from typing import Any

import jsonschema
import pytest

from moderation.policy.rulebook import policy_document, profiles
from moderation.policy.rulebook.policy_document import FOLDER, PolicyInvalid, Thresholds
from moderation.statements.formats import eu_statement

pytestmark = pytest.mark.django_db
GENERAL = json.loads((FOLDER / "2026-12-general.json").read_text())


@pytest.mark.parametrize("profile", policy_document.ACTIVE)
def test_every_active_policy_fits_the_schema(profile: str) -> None:
    found = policy_document.active(profile)
    schema = json.loads((FOLDER / "schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(found.document), schema)
    assert (found.profile, found.version) == (profile, policy_document.ACTIVE[profile])


@pytest.mark.parametrize("profile", policy_document.ACTIVE)
def test_every_category_makes_a_statement_that_the_eu_database_takes(profile: str) -> None:
    found = policy_document.active(profile)
    for category in found.categories.values():
        for kind in ("prompt", "image", "adapter"):
            eu_statement.fields(
                eu_statement.Case(
                    kind=kind,
                    category=category,
                    facts="Facts.",
                    is_detected_automatically=True,
                    is_decided_automatically=False,
                    content_date=date(2026, 11, 24),
                    application_date=date(2026, 11, 24),
                    puid="a-1",
                    policy_url="https://example.org/policies/a/",
                )
            )


def test_verdict_begins_at_the_threshold_itself() -> None:
    limits = Thresholds(hold=0.5, refuse=0.8)
    assert [limits.verdict(score) for score in (0.49, 0.5, 0.79, 0.8)] == [
        "allow",
        "hold",
        "hold",
        "refuse",
    ]


def test_worst_prefers_the_strictest_verdict_then_severity() -> None:
    found = policy_document.active("general")
    worst = found.worst({"nudity": 0.95, "hate": 0.7, "violence": 0.95}, stage="prompt")
    assert worst is not None
    assert worst.name == "violence"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"categories": {"minors": {"thresholds": {}}}}, "may change a floor"),
        ({"rules": {"minors.nudity": {"score": 0.1}}}, "may change a floor's rule"),
        ({"categories": {"nudity": {"severity": 1}}}, "may not set"),
        ({"categories": {"kittens": {}}}, "no such category"),
        ({"rules": {"kittens.cute": {}}}, "no such rule"),
    ],
)
def test_profile_cannot_lower_a_floor_or_change_what_is_not_its_own(
    change: dict[str, Any], words: str
) -> None:
    profile = {"version": "2026-11-x", "profile": "x", "title": "X", **change}
    with pytest.raises(profiles.ProfileInvalid, match=words):
        profiles.layered(GENERAL, profile)


@pytest.mark.parametrize("profile", ["education-medical", "adult"])
def test_floor_is_the_same_in_every_profile(profile: str) -> None:
    base, found = policy_document.active("general"), policy_document.active(profile)
    floors = [name for name, category in base.categories.items() if category.is_floor]
    assert floors == ["minors", "intimate"]
    assert found.categories["minors"] == base.categories["minors"]
    assert [r for r in found.document["rules"] if r["category"] == "minors"] == [
        r for r in base.document["rules"] if r["category"] == "minors"
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("categories", "hate", "severity"), 9),
        (("categories", "hate", "surprise"), True),
        (("rules", 0, "terms"), []),
        (("rules", 0, "category"), "kittens"),
        (("rules", 0, "terms"), ["=kittens"]),
        (("categories", "hate", "thresholds", "prompt", "hold"), 1.5),
    ],
)
def test_parse_refuses_a_document_that_breaks_the_schema_or_itself(
    path: tuple[Any, ...], value: Any
) -> None:
    document = deepcopy(GENERAL)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(PolicyInvalid):
        policy_document.parse(document)
