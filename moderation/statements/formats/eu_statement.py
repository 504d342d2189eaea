"""Statements of reasons in the shape of the EU Transparency Database (API v1).

Field names and rules are those of ``POST /api/v1/statement`` (DSA Art. 17(3), 24(5)), its values
those of `eu_database`. No field may hold personal data: the prompt, the owner and the picture stay
out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import jsonschema

from moderation.policy.rulebook import eu_database
from moderation.policy.rulebook.policy_document import Category
from moderation.subjects.subject import Action

CONTENT_TYPES = {
    "prompt": ["CONTENT_TYPE_TEXT"],
    "image": ["CONTENT_TYPE_IMAGE", "CONTENT_TYPE_SYNTHETIC_MEDIA"],
    "adapter": ["CONTENT_TYPE_OTHER"],
}
NOT_SHOWN: dict[str, dict[str, Any]] = {
    "prompt": {
        "decision_visibility": ["DECISION_VISIBILITY_OTHER"],
        "decision_visibility_other": "The request was not carried out, so no image was made.",
    },
    "image": {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"]},
    "adapter": {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"],
        "content_type_other": "Adapter (LoRA) of an image model",
    },
}
SHOWN: dict[str, dict[str, Any]] = {
    "blur": {
        "decision_visibility": ["DECISION_VISIBILITY_OTHER"],
        "decision_visibility_other": "Delivered blurred until its owner chooses to see it; blurred "
        "on public pages.",
    },
    "age_restrict": {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED"]},
}
Source = Literal["SOURCE_VOLUNTARY", "SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER"]


class StatementInvalid(ValueError):
    """The fields would be turned down by the Transparency Database; the message says which."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a statement is made of. `is_detected_automatically`: a classifier or rule found it.

    `account_ends_on` is the day on which the account's suspension ends, None where there is none;
    `language` is the one that the policy, and with it the statement, is written in (ISO 639-1).
    """

    kind: str
    category: Category
    facts: str
    is_detected_automatically: bool
    is_decided_automatically: bool
    content_date: date
    application_date: date
    puid: str
    policy_url: str
    source: Source = "SOURCE_VOLUNTARY"
    action: Action = "refuse"
    account_ends_on: date | None = None
    language: str = "EN"


def fields(case: Case) -> dict[str, Any]:
    """The statement's fields by their database names, validated; raises StatementInvalid."""
    statement = {
        **(SHOWN.get(case.action) or NOT_SHOWN[case.kind]),
        **_on_account(case),
        **_ground(case.category),
        "decision_ground_reference_url": case.policy_url,
        "decision_facts": case.facts,
        "category": case.category.statement["category"],
        "category_specification": list(case.category.statement.get("specification", [])),
        "content_type": CONTENT_TYPES[case.kind],
        "automated_detection": "Yes" if case.is_detected_automatically else "No",
        "automated_decision": _automated_decision(case),
        "source_type": case.source,
        "content_language": case.language,
        "territorial_scope": list(eu_database.EEA),
        "content_date": case.content_date.isoformat(),
        "application_date": case.application_date.isoformat(),
        "puid": case.puid,
    }
    validate(statement)
    return statement


def validate(statement: Mapping[str, Any]) -> None:
    """Raise StatementInvalid unless the database's own form would take these fields."""
    try:
        _VALIDATOR.validate(dict(statement))
    except jsonschema.ValidationError as error:
        raise StatementInvalid(f"{error.json_path}: {error.message}") from error
    _check_dates(statement)


def _check_dates(statement: Mapping[str, Any]) -> None:
    """Days of the calendar, within what the database takes; no restriction ends before it began."""
    for name in ("content_date", "application_date", *END_DATES):
        if name not in statement:
            continue
        first = eu_database.FIRST_CONTENT_DATE if name == "content_date" else eu_database.FIRST_DATE
        try:
            day = date.fromisoformat(statement[name])
        except ValueError as error:
            raise StatementInvalid(f"$.{name}: {error}") from error
        if not first <= day <= eu_database.LAST_DATE:
            raise StatementInvalid(
                f"$.{name}: {day} lies outside {first} to {eu_database.LAST_DATE}"
            )
        if name in END_DATES and day < date.fromisoformat(statement["application_date"]):
            raise StatementInvalid(f"$.{name}: {day} lies before the application date")


def _ground(category: Category) -> dict[str, Any]:
    """The law that the content breaks where the policy names one; else the policy's own rule."""
    if category.law:
        return {
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": category.law["ground"],
            "illegal_content_explanation": category.law["explanation"],
        }
    return {
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": category.rule,
        "incompatible_content_explanation": category.explanation,
        "incompatible_content_illegal": "No",
    }


def _on_account(case: Case) -> dict[str, Any]:
    if case.account_ends_on is None:
        return {}
    return {
        "decision_account": "DECISION_ACCOUNT_SUSPENDED",
        "account_type": "ACCOUNT_TYPE_PRIVATE",
        "end_date_account_restriction": case.account_ends_on.isoformat(),
    }


def _automated_decision(case: Case) -> str:
    if case.is_decided_automatically:
        return "AUTOMATED_DECISION_FULLY"
    if case.is_detected_automatically:
        return "AUTOMATED_DECISION_PARTIALLY"
    return "AUTOMATED_DECISION_NOT_AUTOMATED"


_WORDS = r"\A(?=[\s\S]*\S)[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*\Z"


def _text(longest: int) -> dict[str, Any]:
    """The database trims texts, and then there has to be one. No controls but tabs and line ends
    and no half characters: nothing that stores text holds them.
    """
    return {"type": "string", "pattern": _WORDS, "maxLength": longest}


def _one(known: Iterable[str]) -> dict[str, Any]:
    return {"enum": sorted(known)}


def _list(known: Iterable[str], *, at_least: int = 0) -> dict[str, Any]:
    return {"type": "array", "uniqueItems": True, "minItems": at_least, "items": _one(known)}


def _needs(field: str, value: Any, *others: str) -> dict[str, Any]:
    return {
        "if": {"properties": {field: value}, "required": [field]},
        "then": {"required": list(others)},
    }


END_DATES = tuple(
    f"end_date_{what}_restriction" for what in ("account", "monetary", "service", "visibility")
)
_DAY = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"}
_ADDRESS = {"type": "string", "maxLength": 500, "pattern": r"^https?://[^\s/?#]+([/?#]\S*)?\Z"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "decision_ground",
        "decision_facts",
        "category",
        "content_type",
        "automated_detection",
        "automated_decision",
        "source_type",
        "content_date",
        "application_date",
        "puid",
    ],
    "anyOf": [
        {"required": [f"decision_{name}"]}
        for name in ("visibility", "monetary", "provision", "account")
    ],
    "allOf": [
        _needs(
            "decision_ground",
            {"const": "DECISION_GROUND_ILLEGAL_CONTENT"},
            "illegal_content_legal_ground",
            "illegal_content_explanation",
        ),
        _needs(
            "decision_ground",
            {"const": "DECISION_GROUND_INCOMPATIBLE_CONTENT"},
            "incompatible_content_ground",
            "incompatible_content_explanation",
        ),
        _needs(
            "decision_visibility",
            {"contains": {"const": "DECISION_VISIBILITY_OTHER"}},
            "decision_visibility_other",
        ),
        _needs("content_type", {"contains": {"const": "CONTENT_TYPE_OTHER"}}, "content_type_other"),
        _needs(
            "decision_monetary", {"const": "DECISION_MONETARY_OTHER"}, "decision_monetary_other"
        ),
    ],
    "properties": {
        "decision_visibility": _list(eu_database.VISIBILITIES, at_least=1),
        "decision_visibility_other": _text(500),
        "decision_monetary": _one(eu_database.MONETARIES),
        "decision_monetary_other": _text(500),
        "decision_provision": _one(eu_database.PROVISIONS),
        "decision_account": _one(eu_database.ACCOUNTS),
        "account_type": _one(eu_database.ACCOUNT_TYPES),
        "decision_ground": _one(eu_database.GROUNDS),
        "decision_ground_reference_url": _ADDRESS,
        "illegal_content_legal_ground": _text(500),
        "illegal_content_explanation": _text(2000),
        "incompatible_content_ground": _text(500),
        "incompatible_content_explanation": _text(2000),
        "incompatible_content_illegal": {"enum": ["Yes", "No"]},
        "decision_facts": _text(5000),
        "category": _one(eu_database.CATEGORIES),
        "category_addition": _list(eu_database.CATEGORIES),
        "category_specification": _list(eu_database.KEYWORDS),
        "category_specification_other": _text(500),
        "content_type": _list(eu_database.CONTENT_TYPES, at_least=1),
        "content_type_other": _text(500),
        "content_language": _one(eu_database.LANGUAGES),
        "territorial_scope": _list(eu_database.EEA),
        "automated_detection": {"enum": ["Yes", "No"]},
        "automated_decision": _one(eu_database.AUTOMATED_DECISIONS),
        "source_type": _one(eu_database.SOURCES),
        "source_identity": _text(500),
        "content_date": _DAY,
        "application_date": _DAY,
        **dict.fromkeys(END_DATES, _DAY),
        "puid": {"type": "string", "pattern": r"^[a-zA-Z0-9_-]{1,500}\Z"},
    },
}
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
