"""C2PA's published rubrics, evaluated over crJSON, and crJSON of our files by c2pa's own reader.

They lie beside the project (CC BY 4.0, c2pa-org/conformance-public) and are not part of it.
"""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import c2pa
import pytest
import yaml

from tests.provenance import json_formula

RUBRICS = Path(__file__).parents[3] / "shared" / "vectors" / "c2pa"
CONFORMANCE = "asset-rubric-conformance0.2-spec2.4.yml"
INTEGRITY = "asset-rubric-integrity.yml"
SIGNALS = "asset-rubric-signals-local.yml"
SPEC_VERSION = "2.4"
needed = pytest.mark.skipif(
    not RUBRICS.is_dir(), reason="C2PA's rubrics are looked for in ../shared/vectors/c2pa"
)

CrJson = dict[str, Any]


@cache
def _rubric(name: str) -> tuple[dict[str, Any], dict[str, json_formula.Compiled], dict[str, Any]]:
    head, rules = yaml.safe_load_all((RUBRICS / name).read_text())
    variables = {**head["variables"], "$expected_spec_version": SPEC_VERSION}
    compiled = {name: json_formula.compiled(text) for name, text in head["expressions"].items()}
    return variables, compiled, {rule["id"]: rule for rule in rules}


def count(name: str) -> int:
    """How many rules a rubric has."""
    return len(_rubric(name)[2])


def _holds(name: str, document: Any) -> dict[str, bool]:
    """Each rule of a rubric by its id, and whether it is told as true of the document."""
    variables, functions, rules = _rubric(name)
    scope = json_formula.Scope(variables, functions, document)
    holds = {}
    for identifier, rule in rules.items():
        found = json_formula.compiled(rule["expression"])(document, scope)
        is_true = json_formula.is_true(found)
        is_turned = rule.get("failIfMatched") or rule.get("warnIfMatched")
        holds[identifier.partition(":")[2]] = is_true != bool(is_turned)
    return holds


def broken_rules(document: CrJson, name: str = CONFORMANCE) -> set[str]:
    """The rules that do not hold of a file's crJSON."""
    return {rule for rule, is_kept in _holds(name, document).items() if not is_kept}


def signals(manifest: dict[str, Any]) -> set[str]:
    """What one manifest of a crJSON tells a reader by itself."""
    told = (rule for rule, is_told in _holds(SIGNALS, manifest).items() if is_told)
    return {rule.removeprefix("signal_") for rule in told}


def crjson(data: bytes, mime: str, *, anchors_pem: str) -> CrJson:
    """What c2pa's own reader, which relies on these authorities, says of a file."""
    told = {"trust": {"user_anchors": anchors_pem}, "verify": {"remote_manifest_fetch": False}}
    context = c2pa.Context(c2pa.Settings.from_dict(told))
    with c2pa.Reader(mime, io.BytesIO(data), context=context) as reader:
        assert reader.get_validation_state() == "Trusted"
        found: CrJson = json.loads(reader.crjson())
    return found
