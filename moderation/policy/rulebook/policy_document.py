"""A policy version: categories, thresholds for each stage, rules; and the verdict that scores earn
under it.

Policies are data: those that ship are files (``documents/*.json``), those made on a site
come from the source that it registers. They are read once in a process and never change under a
version; a changed policy is a new version.
"""

import hashlib
import json
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import jsonschema

from config.core.errors import ProofsheetError
from moderation.policy.rulebook import eu_database, lexicon, profiles
from moderation.policy.rulebook.concept_rules import ConceptRule
from moderation.policy.rulebook.word_rules import WordRule

Verdict = Literal["allow", "hold", "refuse"]
Stage = Literal["prompt", "image"]
FOLDER = Path(__file__).parent / "documents"
ACTIVE = {  # profile -> version that ships
    "general": "2026-12-general",
    "education-medical": "2026-12-education-medical",
    "adult": "2026-12-adult",
}
RANK: dict[Verdict, int] = {"allow": 0, "hold": 1, "refuse": 2}


class PolicyUnknown(ProofsheetError):
    """No policy is active for the profile that was named."""

    default_code = "policy_unknown"
    default_message = "There is no policy for this audience profile."
    default_advice = "Choose one of the profiles that the site offers."
    default_status = 422


class PolicyInvalid(ValueError):
    """A policy file breaks the schema or contradicts itself; the message says where."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores in [0, 1] from which a category is held, and refused; 2 is never."""

    hold: float
    refuse: float

    def verdict(self, score: float) -> Verdict:
        if score >= self.refuse:
            return "refuse"
        return "hold" if score >= self.hold else "allow"


@dataclass(frozen=True, slots=True)
class Category:
    """One thing that the policy speaks about. `statement` holds EU Transparency Database values."""

    name: str
    title: str
    severity: int
    review_within_hours: int
    is_floor: bool
    names_span: bool
    rule: str
    explanation: str
    statement: Mapping[str, Any]
    thresholds: Mapping[Stage, Thresholds]
    law: Mapping[str, str] | None = None  # {ground, explanation} where it is unlawful


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One policy version; `sha256` is that of its canonical JSON and of the lexicon it names.
    `language` is the one that its rules and explanations are written in (ISO 639-1); `words` say
    in every language what its concepts are.
    """

    version: str
    profile: str
    title: str
    categories: Mapping[str, Category]
    rules: tuple[WordRule | ConceptRule, ...]
    document: Mapping[str, Any]
    sha256: str
    language: str = "EN"
    words: lexicon.Lexicon | None = None

    def judge(self, scores: Mapping[str, float], *, stage: Stage) -> Verdict:
        """The strictest verdict that any category's score earns; all must be known."""
        verdicts = [
            self.categories[name].thresholds[stage].verdict(score) for name, score in scores.items()
        ]
        return max(verdicts, key=RANK.__getitem__, default="allow")

    def worst(self, scores: Mapping[str, float], *, stage: Stage) -> Category | None:
        """The category that a refusal names: strictest verdict first, then severity, then score."""
        flagged = [
            (RANK[verdict], category.severity, score, category.name)
            for name, score in scores.items()
            if (category := self.categories[name])
            and (verdict := category.thresholds[stage].verdict(score)) != "allow"
        ]
        return self.categories[max(flagged)[3]] if flagged else None


class PolicySource(Protocol):
    """Where versions stand that did not ship, and which version of a profile is in force."""

    def active_version(self, profile: str) -> str | None: ...
    def document(self, version: str) -> dict[str, Any] | None: ...


_sources: list[PolicySource] = []  # at most one


def use_source(source: PolicySource | None) -> None:
    """Look up versions in `source` too; None for those that ship alone."""
    _sources[:] = [source] if source else []


def parse(document: Mapping[str, Any]) -> Rulebook:
    """Build a policy from its JSON document; raises PolicyInvalid."""
    try:
        jsonschema.validate(document, _schema())
    except jsonschema.ValidationError as error:
        raise PolicyInvalid(f"{error.json_path}: {error.message}") from error
    categories = {name: _category(name, body) for name, body in document["categories"].items()}
    floors = {name for name, each in categories.items() if each.is_floor}
    try:
        rules = tuple(_rule(body, document["lists"], floors) for body in document["rules"])
    except KeyError as error:
        raise PolicyInvalid(f"$.rules: the list {error} is not defined") from error
    if unknown := {rule.category for rule in rules} - set(categories):
        raise PolicyInvalid(f"$.rules: unknown categories {sorted(unknown)}")
    words = _lexicon(document, rules)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    canonical += words.sha256.encode() if words else b""
    return Rulebook(
        version=document["version"],
        profile=document["profile"],
        title=document["title"],
        categories=categories,
        rules=rules,
        document=document,
        sha256=hashlib.sha256(canonical).hexdigest(),
        language=_language(document),
        words=words,
    )


@cache
def load(version: str) -> Rulebook:
    """Read one version; raises PolicyInvalid, or FileNotFoundError where there is none. One from
    before there were concepts has the floor's categories that ship beside its own."""
    policy = parse(_document(version))
    if policy.version != version:
        raise PolicyInvalid(f"{version}.json says that it is {policy.version}")
    if policy.words or policy.profile not in ACTIVE:
        return policy
    return replace(
        policy, categories={**policy.categories, **_floors(load(ACTIVE[policy.profile]))}
    )


def _document(version: str) -> dict[str, Any]:
    """The version's full document, a profile's laid over its base."""
    try:
        text = (FOLDER / f"{version}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        if made_here := _sources and _sources[0].document(version):
            return made_here
        raise
    document: dict[str, Any] = json.loads(text)
    if base := document.get("extends"):
        try:
            return profiles.layered(_document(base), document)
        except profiles.ProfileInvalid as error:
            raise PolicyInvalid(str(error)) from error
    return document


def active(profile: str) -> Rulebook:
    """The policy in force for an audience profile; raises PolicyUnknown. A version that was made
    here before there were concepts keeps its own words, and has the floor's rules that ship."""
    if profile not in ACTIVE:
        raise PolicyUnknown
    made_here = _sources[0].active_version(profile) if _sources else None
    shipped = load(ACTIVE[profile])
    if made_here is None:
        return shipped
    book = load(made_here)
    return book if book.words else _on_the_floor(book, shipped)


def _on_the_floor(book: Rulebook, shipped: Rulebook) -> Rulebook:
    floors = _floors(shipped)
    rules = [rule for rule in book.rules if rule.category not in floors]
    rules += [rule for rule in shipped.rules if rule.category in floors]
    both = hashlib.sha256(f"{book.sha256} {shipped.sha256}".encode()).hexdigest()
    categories = {**book.categories, **floors}
    return replace(
        book, categories=categories, rules=tuple(rules), words=shipped.words, sha256=both
    )


def _floors(book: Rulebook) -> dict[str, Category]:
    return {name: each for name, each in book.categories.items() if each.is_floor}


def find(version: str) -> Rulebook:
    """A version by a name that a stranger may have typed; raises PolicyUnknown."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[a-z0-9-]+", version):
        raise PolicyUnknown(message="There is no policy version of that name.", status=404)
    try:
        return load(version)
    except FileNotFoundError as error:
        raise PolicyUnknown(
            message="There is no policy version of that name.", status=404
        ) from error


@cache
def _schema() -> Any:
    return json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


def _rule(
    body: Mapping[str, Any], lists: Mapping[str, Sequence[str]], floors: Container[str]
) -> WordRule | ConceptRule:
    if "concepts" in body:
        return ConceptRule.parse(body, is_floor=body["category"] in floors)
    return WordRule.parse(body, lists)


def _lexicon(
    document: Mapping[str, Any], rules: Sequence[WordRule | ConceptRule]
) -> lexicon.Lexicon | None:
    named = document.get("lexicon")
    asked = {
        name
        for rule in rules
        if isinstance(rule, ConceptRule)
        for names in (*rule.concepts, rule.context, rule.form, rule.silent)
        for name in names
    }
    try:
        if unknown := asked - (lexicon.concepts(named) if named else frozenset()):
            raise PolicyInvalid(f"$.rules: unknown concepts {sorted(unknown)}")
        return lexicon.load(named) if named else None
    except FileNotFoundError as error:
        raise PolicyInvalid(f"$.lexicon: there is no lexicon {named}") from error


def _language(document: Mapping[str, Any]) -> str:
    language = str(document.get("language", "EN"))
    if language not in eu_database.LANGUAGES:
        raise PolicyInvalid(f"$.language: {language} is no language of ISO 639-1")
    return language


def _check_statement(name: str, statement: Mapping[str, Any]) -> None:
    """Raise PolicyInvalid where the EU database knows a value not."""
    place = f"$.categories.{name}.statement"
    if statement["category"] not in eu_database.CATEGORIES:
        raise PolicyInvalid(
            f"{place}.category: the EU database has no {statement['category']} "
            f"(as of {eu_database.AS_OF})"
        )
    if unknown := set(statement.get("specification", ())) - eu_database.KEYWORDS:
        raise PolicyInvalid(
            f"{place}.specification: the EU database has no {', '.join(sorted(unknown))} "
            f"(as of {eu_database.AS_OF})"
        )


def _category(name: str, body: Mapping[str, Any]) -> Category:
    thresholds: dict[Stage, Thresholds] = {
        stage: Thresholds(**values) for stage, values in body["thresholds"].items()
    }
    if any(pair.hold > pair.refuse for pair in thresholds.values()):
        raise PolicyInvalid(f"$.categories.{name}: hold lies above refuse")
    _check_statement(name, body["statement"])
    return Category(name=name, **{**body, "thresholds": thresholds})
