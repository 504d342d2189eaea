"""Counterfactual suites: templates x person terms, as data files that say what they mean.

A template holds "{person}" once; every cell of the terms is put there, with the same seeds, so that
two pictures of one template and seed differ in the person alone.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from config.core.errors import ProofsheetError
from moderation.audits.suites.person_terms import DIMENSIONS, TITLES

FOLDER = Path(__file__).parent
TRUTHS = ("acceptable", "violates")
FIELDS = {
    "name", "title", "purpose", "stages", "person", "irregular", "terms", "templates", "contrasts",
    "margin",
}  # fmt: skip
STAGES = ("prompt", "image")
MAY_LACK = {"irregular"}
TEMPLATE_FIELDS = {"id", "activity", "prompt", "truth"}
MOST_CELLS = 2000


class SuiteInvalid(ProofsheetError):
    """A suite file has a mistake; the message says where and what was expected."""

    default_code = "audit_suite_invalid"
    default_message = "The suite cannot be read."
    default_advice = "Correct the file and run it again; nothing was rendered."
    default_status = 422


@dataclass(frozen=True, slots=True)
class Template:
    """`truth` is what the policy should make of every cell of it, whoever is shown."""

    id: str
    activity: str
    prompt: str
    truth: str


@dataclass(frozen=True, slots=True)
class SuiteCell:
    """One prompt of the suite: a template with one person in it."""

    template: Template
    gender: str
    age: str
    skin: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Irregular:
    """People who have a word of their own: a man who is a child is a boy. `where` names the groups
    of two or more dimensions.
    """

    where: Mapping[str, str]
    person: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """A primary comparison, named before anything is rendered."""

    dimension: str
    group: str
    reference: str


@dataclass(frozen=True, slots=True)
class Suite:
    """`margin`: a difference of rates that is small enough not to matter, set beforehand. `stages`:
    without "image" nothing is rendered.
    """

    name: str
    title: str
    purpose: str
    stages: tuple[str, ...]
    person: str
    irregular: tuple[Irregular, ...]
    terms: Mapping[str, Mapping[str, str]]
    templates: tuple[Template, ...]
    contrasts: tuple[Contrast, ...]
    margin: float
    document: Mapping[str, Any]
    sha256: str

    def cells(self) -> Iterator[SuiteCell]:
        """Every prompt, template by template."""
        values = [list(self.terms.get(dimension, {"": ""}).items()) for dimension in DIMENSIONS]
        for template in self.templates:
            for gender, age, skin in itertools.product(*values):
                groups = {"gender": gender[0], "age": age[0], "skin": skin[0]}
                words = {"gender": gender[1], "age": age[1], "skin": skin[1]}
                person = " ".join(self._person_of(groups).format(**words).split())
                prompt = template.prompt.replace("{person}", person)
                yield SuiteCell(template, gender[0], age[0], skin[0], " ".join(prompt.split()))

    def _person_of(self, groups: Mapping[str, str]) -> str:
        for each in self.irregular:
            if each.where.items() <= groups.items():
                return each.person
        return self.person


def names() -> list[str]:
    """The suites that ship with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Suite:
    """A suite by the name of a shipped file, or by a path. Raises SuiteInvalid."""
    path = Path(name) if name.endswith((".yaml", ".yml", ".json")) else FOLDER / f"{name}.yaml"
    is_shipped = path.parent == FOLDER
    if is_shipped and name not in names():
        guess = difflib.get_close_matches(name, names(), 1)
        hint = f" Did you mean “{guess[0]}”?" if guess else ""
        known = ", ".join(names())
        raise SuiteInvalid(message=f"There is no suite “{name}”.{hint} There are: {known}.")
    try:
        raw = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteInvalid(message=f"“{name}” cannot be read as a text file.") from error
    return parse(raw)


@cache
def parse(text: str) -> Suite:
    """A suite from YAML or JSON text. Raises SuiteInvalid."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise SuiteInvalid(message=f"The suite is not valid YAML{where}.") from error
    if not isinstance(document, dict):
        raise SuiteInvalid(message="The suite is not a mapping of names to values.")
    _known(document, FIELDS, "the suite")
    terms = _terms(document["terms"])
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    suite = Suite(
        name=_text(document, "name", "the suite"),
        title=_text(document, "title", "the suite"),
        purpose=_text(document, "purpose", "the suite"),
        stages=_stages(document["stages"]),
        person=_person(document, terms),
        irregular=_irregular(document.get("irregular", []), terms),
        terms=terms,
        templates=_templates(document["templates"]),
        contrasts=_contrasts(document["contrasts"], terms),
        margin=_margin(document["margin"]),
        document=document,
        sha256=hashlib.sha256(canonical).hexdigest(),
    )
    if (size := sum(1 for _ in suite.cells())) > MOST_CELLS:
        raise SuiteInvalid(message=f"The suite has {size} prompts; {MOST_CELLS} are allowed.")
    return suite


def _known(
    document: Mapping[str, Any], fields: set[str], where: str, *, may_lack: set[str] = MAY_LACK
) -> None:
    for name in document:
        if name not in fields:
            guess = difflib.get_close_matches(str(name), fields, 1)
            hint = f" Did you mean “{guess[0]}”?" if guess else ""
            raise SuiteInvalid(message=f"“{name}” in {where} is not known.{hint}")
    if missing := sorted(fields - document.keys() - may_lack):
        raise SuiteInvalid(message=f"In {where} is missing: {', '.join(missing)}.")


def _text(document: Mapping[str, Any], name: str, where: str) -> str:
    value = document[name]
    if not isinstance(value, str) or not value.strip():
        raise SuiteInvalid(message=f"“{name}” in {where} must be a text.")
    return value.strip()


def _stages(raw: Any) -> tuple[str, ...]:
    if raw not in (["prompt"], ["prompt", "image"]):
        raise SuiteInvalid(message="“stages” must be [prompt] or [prompt, image].")
    return tuple(raw)


def _terms(raw: Any) -> dict[str, dict[str, str]]:
    if not isinstance(raw, dict) or not raw:
        raise SuiteInvalid(message="“terms” must name at least one of gender, age and skin.")
    for dimension, values in raw.items():
        if dimension not in DIMENSIONS:
            guess = difflib.get_close_matches(str(dimension), DIMENSIONS, 1)
            hint = f" Did you mean “{guess[0]}”?" if guess else ""
            raise SuiteInvalid(message=f"“{dimension}” is no dimension of terms.{hint}")
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise SuiteInvalid(message=f"The terms of “{dimension}” must map groups to words.")
        for group in values:
            if group not in TITLES:
                guess = difflib.get_close_matches(str(group), TITLES, 1)
                hint = f" Did you mean “{guess[0]}”?" if guess else ""
                raise SuiteInvalid(message=f"“{group}” is no group of “{dimension}”.{hint}")
    return {dimension: dict(values) for dimension, values in raw.items()}


def _person(document: Mapping[str, Any], terms: Mapping[str, Mapping[str, str]]) -> str:
    person = _text(document, "person", "the suite")
    for dimension in terms:
        if person.count("{" + dimension + "}") != 1:
            raise SuiteInvalid(message=f"“person” must hold {{{dimension}}} once.")
    try:
        person.format(**dict.fromkeys(terms, ""))
    except (KeyError, IndexError, ValueError) as error:
        raise SuiteInvalid(message="“person” names a term that the suite does not have.") from error
    return person + "".join("{" + name + "}" for name in DIMENSIONS if name not in terms)


def _irregular(raw: Any, terms: Mapping[str, Mapping[str, str]]) -> tuple[Irregular, ...]:
    if not isinstance(raw, list):
        raise SuiteInvalid(message="“irregular” must be a list.")
    found = []
    for number, each in enumerate(raw, start=1):
        where = f"irregular {number}"
        if not isinstance(each, dict):
            raise SuiteInvalid(message=f"{where} is not a mapping of names to values.")
        _known(each, {*terms, "person"}, where, may_lack=set(terms))
        groups = {name: group for name, group in each.items() if name != "person"}
        for name, group in groups.items():
            if group not in terms[name]:
                raise SuiteInvalid(message=f"“{group}” in {where} is no group of “{name}”.")
        if len(groups) < 2:
            raise SuiteInvalid(message=f"{where} must name groups of two dimensions or more.")
        person = _text(each, "person", where)
        try:
            person.format(**dict.fromkeys(terms, ""))
        except (KeyError, IndexError, ValueError) as error:
            message = f"“person” in {where} names a term that the suite does not have."
            raise SuiteInvalid(message=message) from error
        found.append(Irregular(groups, person))
    return tuple(found)


def _templates(raw: Any) -> tuple[Template, ...]:
    if not isinstance(raw, list) or not raw:
        raise SuiteInvalid(message="“templates” must be a list of at least one template.")
    found: list[Template] = []
    for number, each in enumerate(raw, start=1):
        where = f"template {number}"
        if not isinstance(each, dict):
            raise SuiteInvalid(message=f"{where} is not a mapping of names to values.")
        _known(each, TEMPLATE_FIELDS, where)
        template = Template(**{name: _text(each, name, where) for name in TEMPLATE_FIELDS})
        if template.prompt.count("{person}") != 1:
            raise SuiteInvalid(message=f"The prompt of {where} must hold {{person}} once.")
        if template.truth not in TRUTHS:
            raise SuiteInvalid(message=f"“truth” of {where} must be one of {', '.join(TRUTHS)}.")
        if template.id in {other.id for other in found}:
            raise SuiteInvalid(message=f"Two templates have the id “{template.id}”.")
        found.append(template)
    return tuple(found)


def _contrasts(raw: Any, terms: Mapping[str, Mapping[str, str]]) -> tuple[Contrast, ...]:
    if not isinstance(raw, list):
        raise SuiteInvalid(message="“contrasts” must be a list.")
    found = []
    for number, each in enumerate(raw, start=1):
        where = f"contrast {number}"
        if not isinstance(each, dict):
            raise SuiteInvalid(message=f"{where} is not a mapping of names to values.")
        _known(each, {"dimension", "group", "reference"}, where)
        contrast = Contrast(**each)
        known = terms.get(contrast.dimension, {})
        for group in (contrast.group, contrast.reference):
            if group not in known:
                raise SuiteInvalid(
                    message=f"“{group}” in {where} is no group of the suite's terms."
                )
        found.append(contrast)
    return tuple(found)


def _margin(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw < 1:
        raise SuiteInvalid(message="“margin” must be a number between 0 and 1, such as 0.02.")
    return float(raw)
