"""What `make mutants` changes, and that it leaves nothing changed."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

import pytest

from generation.request_rules import deficit_round_robin as fair_share
from tests.mutants.edits import Edit, drawn, edits_of
from tests.mutants.patching import can_be_patched, patched
from tests.mutants.table import MODULES, Module

TEXT = '''
LIMIT = 500


def wanted(line, *, limit=LIMIT):
    """At most 3 words."""
    if line.is_gone:
        raise KeyError(f"{len(line)} of 3")
    rows = line.filter(
        weight=2,
    ).order_by("id")
    return rows and limit < 1
'''


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_table_names_modules_and_tests_that_are_there(module: Module) -> None:
    text = Path(module.path).read_text()
    edits = [e for e in drawn(text, name=module.name, count=999) if can_be_patched(e, text, "m")]
    assert len(edits) >= module.mutants
    assert all(Path(test).exists() for test in module.tests)


def test_table_has_150_mutants_of_twelve_modules() -> None:
    assert (len(MODULES), sum(module.mutants for module in MODULES)) == (12, 150)


def test_edits_are_conditions_bounds_and_calls_but_no_words() -> None:
    told = {edit.sentence() for edit in edits_of(TEXT)}
    assert told >= {
        "500 → 5000",
        "line.is_gone → False",
        "line.filter( weight=2, ) → line",
        "limit < 1 → limit <= 1",
        "1 → 2",
    }
    assert not any("3 →" in sentence for sentence in told)


def test_edited_text_compiles_and_keeps_its_lines() -> None:
    for edit in edits_of(TEXT):
        changed = edit.applied(TEXT)
        compile(changed, "m", "exec")
        assert changed.count("\n") == TEXT.count("\n")


def test_drawing_is_the_same_after_lines_moved() -> None:
    moved = '"""Words."""\n\n' + TEXT
    names = [[edit.key("m") for edit in drawn(text, name="m", count=9)] for text in (TEXT, moved)]
    assert names[0] == names[1]
    assert max(Counter(edit.line for edit in drawn(TEXT, name="m", count=9)).values()) == 1


def edit_of(sentence: str, text: str) -> Edit:
    return next(edit for edit in edits_of(text) if edit.sentence() == sentence)


def test_patch_reaches_what_was_imported_before_and_goes_away() -> None:
    text = Path(str(fair_share.__file__)).read_text()
    spent_at = fair_share.spent_at
    gc.freeze()  # as a worker does, and a test of one in this process
    with patched(fair_share, edit_of("now - 1 → (now + 1)", text), text):
        assert spent_at(3) == 200
    assert spent_at(3) == 100


def test_patched_constant_is_what_its_functions_default_to() -> None:
    text = Path(str(fair_share.__file__)).read_text()
    with patched(fair_share, edit_of("50 → 500", text), text):
        assert fair_share.QUANTUM_MS == 500
        assert fair_share.spent_at(3) == 1000
    assert fair_share.spent_at(3) == 100
