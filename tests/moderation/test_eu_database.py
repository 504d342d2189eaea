"""Statements are what the EU Transparency Database takes; policies name only what it knows."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

import moderation
from moderation.decisions import enforcing
from moderation.policy import drafting
from moderation.policy.rulebook import eu_database, policy_document
from moderation.policy.rulebook.policy_document import FOLDER, PolicyInvalid
from moderation.statements import issuing
from moderation.statements.formats import eu_statement
from moderation.statements.formats.eu_statement import Case, StatementInvalid
from tests.moderation.makers import NOON, claimed, prompt_case

GENERAL = json.loads((FOLDER / "2026-12-general.json").read_text())
LAW = {"ground": "Section 184 of the penal code", "explanation": "It is forbidden to show it."}
RIGHT: dict[str, Any] = {
    "decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"],
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "decision_ground_reference_url": "https://example.org/policies/a/",
    "incompatible_content_ground": "A rule.",
    "incompatible_content_explanation": "Why.",
    "incompatible_content_illegal": "No",
    "decision_facts": "Facts.",
    "category": "STATEMENT_CATEGORY_VIOLENCE",
    "content_type": ["CONTENT_TYPE_IMAGE"],
    "automated_detection": "Yes",
    "automated_decision": "AUTOMATED_DECISION_FULLY",
    "source_type": "SOURCE_VOLUNTARY",
    "content_date": "2026-11-01",
    "application_date": "2026-11-02",
    "puid": "a-1",
}
ACCOUNT = {"decision_account": "DECISION_ACCOUNT_SUSPENDED"}


def test_a_statement_as_it_should_be_is_taken() -> None:
    eu_statement.validate(RIGHT)
    eu_statement.validate(RIGHT | {"decision_facts": "What was found,\n\tand how: 🩷."})
    more = {"territorial_scope": ["DE", "FR"], "content_language": "DE", **ACCOUNT}
    eu_statement.validate(RIGHT | more | {"end_date_account_restriction": "2026-11-09"})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"category": "STATEMENT_CATEGORY_NONSENSE"}, "category"),
        ({"category": "STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT"}, "category"),
        ({"category": "STATEMENT_CATEGORY_SCOPE_OF_PLATFORM_SERVICE"}, "category"),
        ({"category_addition": ["STATEMENT_CATEGORY_NONSENSE"]}, "category_addition"),
        ({"category_specification": ["KEYWORD_NONSENSE"]}, "category_specification"),
        ({"content_language": "XX"}, "content_language"),
        ({"content_language": "en"}, "content_language"),
        ({"territorial_scope": ["US"]}, "territorial_scope"),
        ({"decision_ground_reference_url": "see our terms"}, "decision_ground_reference_url"),
        ({"content_date": "2099-01-01"}, "content_date"),
        ({"content_date": "1999-12-31"}, "content_date"),
        ({"application_date": "2026-02-31"}, "application_date"),
        ({"application_date": "2019-12-31"}, "application_date"),
        ({**ACCOUNT, "end_date_account_restriction": "2050-01-01"}, "end_date_account"),
        ({**ACCOUNT, "end_date_account_restriction": "2026-11-01"}, "end_date_account"),
        ({"puid": "a-1\n"}, "puid"),
        ({"puid": "a 1"}, "puid"),
        ({"decision_monetary": "DECISION_MONETARY_OTHER"}, "decision_monetary_other"),
        ({"decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT"}, "illegal_content"),
        ({"content_type": ["CONTENT_TYPE_OTHER"]}, "content_type_other"),
        ({"content_type": []}, "content_type"),
        ({"automated_decision": "Yes"}, "automated_decision"),
        ({"source_type": "SOURCE_GUESS"}, "source_type"),
        ({"account_type": "ACCOUNT_TYPE_NONE"}, "account_type"),
        ({"decision_facts": "x" * 5001}, "decision_facts"),
        ({"decision_facts": " \n "}, "decision_facts"),
        ({"decision_facts": "What was found.\0"}, "decision_facts"),
        ({"incompatible_content_ground": "\x1b[2J"}, "incompatible_content_ground"),
        ({"illegal_content_explanation": "half \ud83d"}, "illegal_content_explanation"),
        ({"incompatible_content_ground": ""}, "incompatible_content_ground"),
    ],
)
def test_what_the_database_refuses_is_refused_and_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(StatementInvalid, match=named):
        eu_statement.validate(RIGHT | wrong)


def test_the_inputs_that_were_told_wrongly_are_told_right(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moderation, "transparency", eu_statement, raising=False)  # its old name
    script = Path("../shared/vectors/inputs/dsa_fields.py")
    if not script.exists():
        pytest.skip(f"{script} does not lie beside the project")
    exec(compile(script.read_text(), str(script), "exec"), {})  # noqa: S102 - our own inputs
    first, *others = capsys.readouterr().out.strip().splitlines()
    assert "taken by ours" in first
    assert len(others) == 12
    assert all("refused" in line for line in others)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ({"category": "STATEMENT_CATEGORY_NONSENSE"}, "STATEMENT_CATEGORY_NONSENSE"),
        ({"category": "STATEMENT_CATEGORY_VIOLENCE", "specification": ["KEYWORD_X"]}, "KEYWORD_X"),
    ],
)
def test_a_policy_names_no_value_that_the_database_has_not(
    statement: dict[str, Any], named: str
) -> None:
    nudity = GENERAL["categories"]["nudity"] | {"statement": statement}
    changed = GENERAL | {"categories": GENERAL["categories"] | {"nudity": nudity}}
    with pytest.raises(PolicyInvalid, match=f"{named} .as of {eu_database.AS_OF}"):
        policy_document.parse(changed)


def test_a_policy_s_language_is_that_of_its_statements() -> None:
    assert policy_document.parse(GENERAL).language == "EN"
    assert policy_document.parse(GENERAL | {"language": "DE"}).language == "DE"
    with pytest.raises(PolicyInvalid, match="XX is no language"):
        policy_document.parse(GENERAL | {"language": "XX"})
    said = eu_statement.fields(
        _case(policy_document.parse(GENERAL).categories["nudity"], language="DE")
    )
    assert said["content_language"] == "DE"
    assert said["territorial_scope"] == list(eu_database.EEA)


def _case(category: policy_document.Category, **more: Any) -> Case:
    return Case(
        kind="image",
        category=category,
        facts="Facts.",
        is_detected_automatically=True,
        is_decided_automatically=False,
        content_date=date(2026, 11, 24),
        application_date=date(2026, 11, 24),
        puid="a-1",
        policy_url="https://example.org/policies/a/",
        **more,
    )


@pytest.fixture
def with_law(carol: User, roles: dict[str, Group]) -> Any:
    """A policy in force that names the law which nudity and minors break."""
    second = User.objects.create_user("erin")
    second.groups.set([roles["moderators"], roles["senior moderators"]])
    changes = {"categories": {"nudity": {"law": LAW}, "minors": {"law": LAW}}}
    made = drafting.propose_draft(
        based_on=policy_document.ACTIVE["general"],
        changes=changes,
        rationale="Law.",
        by=carol,
        at=NOON,
    )
    yield drafting.activate(made, by=second, at=NOON)
    policy_document.load.cache_clear()


def test_a_statement_stands_on_the_law_that_its_policy_names(
    with_law: Any, alice: User, bob: User
) -> None:
    case, token = claimed(prompt_case(alice, policy_version=with_law.version), bob)
    statement = enforcing.decide(
        case, by=bob, action="refuse", reason="nudity", token=token, at=NOON
    ).statement
    assert statement.fields["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT"
    assert statement.fields["illegal_content_legal_ground"] == LAW["ground"]
    assert "incompatible_content_ground" not in statement.fields
    told = issuing.notice(statement, at=NOON)
    assert (told.rule, told.ground) == (LAW["ground"], LAW["explanation"])


def test_a_draft_without_the_law_s_explanation_is_refused(carol: User) -> None:
    changes = {"categories": {"nudity": {"law": {"ground": "§ 184"}}}}
    with pytest.raises(drafting.ChangesInvalid, match="explanation"):
        drafting.draft(
            based_on=policy_document.ACTIVE["general"],
            changes=changes,
            rationale="Law.",
            by=carol,
            at=NOON,
        )
