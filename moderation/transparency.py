"""Statements of reasons in the shape of the EU Transparency Database (API v1).

Field names, allowed values and lengths are those of ``POST /api/v1/statement``
(transparency.dsa.ec.europa.eu/page/api-documentation; DSA Art. 17(3), 24(5)). No field may hold
personal data: the prompt, the owner and the picture stay out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import jsonschema

from moderation.policy import Category
from moderation.subjects import Action

VISIBILITIES = (
    "REMOVED",
    "DISABLED",
    "DEMOTED",
    "AGE_RESTRICTED",
    "INTERACTION_RESTRICTED",
    "LABELLED",
)
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
PUID = re.compile(r"[a-zA-Z0-9_-]{1,500}")


class StatementInvalid(ValueError):
    """The fields would be turned down by the Transparency Database; the message says which."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a statement is made of. `is_detected_automatically`: a classifier or rule found it.

    `account_ends_on` is the day on which the account's suspension ends, None where there is none.
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


def fields(case: Case) -> dict[str, Any]:
    """The statement's fields by their database names, validated; raises StatementInvalid."""
    statement = {
        **(SHOWN.get(case.action) or NOT_SHOWN[case.kind]),
        **_on_account(case),
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "decision_ground_reference_url": case.policy_url,
        "incompatible_content_ground": case.category.rule,
        "incompatible_content_explanation": case.category.explanation,
        "incompatible_content_illegal": "No",
        "decision_facts": case.facts,
        "category": case.category.statement["category"],
        "category_specification": list(case.category.statement.get("specification", [])),
        "content_type": CONTENT_TYPES[case.kind],
        "automated_detection": "Yes" if case.is_detected_automatically else "No",
        "automated_decision": _automated_decision(case),
        "source_type": case.source,
        "content_language": "EN",
        "content_date": case.content_date.isoformat(),
        "application_date": case.application_date.isoformat(),
        "puid": case.puid,
    }
    validate(statement)
    return statement


def validate(statement: Mapping[str, Any]) -> None:
    """Raise StatementInvalid unless the database's own form would take these fields."""
    try:
        jsonschema.validate(dict(statement), SCHEMA)
    except jsonschema.ValidationError as error:
        raise StatementInvalid(f"{error.json_path}: {error.message}") from error


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


def _text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def _list(pattern: str) -> dict[str, Any]:
    return {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": pattern}}


def _needs(field: str, value: Any, *others: str) -> dict[str, Any]:
    return {
        "if": {"properties": {field: value}, "required": [field]},
        "then": {"required": list(others)},
    }


_DAY = {"type": "string", "pattern": r"^20[2-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}
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
    ],
    "properties": {
        "decision_visibility": {
            **_list(rf"^DECISION_VISIBILITY_(CONTENT_({'|'.join(VISIBILITIES)})|OTHER)$"),
            "minItems": 1,
        },
        "decision_visibility_other": _text(500),
        "decision_monetary": {"pattern": "^DECISION_MONETARY_(SUSPENSION|TERMINATION|OTHER)$"},
        "decision_provision": {
            "pattern": "^DECISION_PROVISION_(PARTIAL|TOTAL)_(SUSPENSION|TERMINATION)$"
        },
        "decision_account": {"pattern": "^DECISION_ACCOUNT_(SUSPENDED|TERMINATED)$"},
        "end_date_account_restriction": _DAY,
        "account_type": {"enum": ["ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"]},
        "decision_ground": {
            "enum": ["DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"]
        },
        "decision_ground_reference_url": _text(500),
        "illegal_content_legal_ground": _text(500),
        "illegal_content_explanation": _text(2000),
        "incompatible_content_ground": _text(500),
        "incompatible_content_explanation": _text(2000),
        "incompatible_content_illegal": {"enum": ["Yes", "No"]},
        "decision_facts": _text(5000),
        "category": {"type": "string", "pattern": "^STATEMENT_CATEGORY_[A-Z_]+$"},
        "category_addition": _list("^STATEMENT_CATEGORY_[A-Z_]+$"),
        "category_specification": _list("^KEYWORD_[A-Z_]+$"),
        "content_type": {
            **_list("^CONTENT_TYPE_(APP|AUDIO|IMAGE|PRODUCT|SYNTHETIC_MEDIA|TEXT|VIDEO|OTHER)$"),
            "minItems": 1,
        },
        "content_type_other": _text(500),
        "content_language": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "territorial_scope": _list("^[A-Z]{2}$"),
        "automated_detection": {"enum": ["Yes", "No"]},
        "automated_decision": {
            "enum": [
                f"AUTOMATED_DECISION_{name}" for name in ("FULLY", "PARTIALLY", "NOT_AUTOMATED")
            ]
        },
        "source_type": {
            "enum": [
                "SOURCE_VOLUNTARY",
                "SOURCE_ARTICLE_16",
                "SOURCE_TRUSTED_FLAGGER",
                "SOURCE_TYPE_OTHER_NOTIFICATION",
            ]
        },
        "content_date": _DAY,
        "application_date": _DAY,
        "puid": {"type": "string", "pattern": rf"^{PUID.pattern}$"},
    },
}
