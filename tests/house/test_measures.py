"""The house stays one that can be seen through: folders, loops, names, sizes, docstrings."""

import re
import statistics

from tests.house import measures

REPEATED_FOR_A_REASON: set[str] = set()
CLIENT = measures.ROOT / "generation" / "client"


def test_no_folder_is_full() -> None:
    assert {name: n for name, n in measures.modules_by_folder().items() if n > 15} == {}


def test_no_file_is_long() -> None:
    assert {name: n for name, n in measures.lines_by_file().items() if n > 400} == {}


def test_no_imports_go_in_circles_and_none_hides_in_a_function() -> None:
    assert measures.loops() == []
    assert measures.lazy_imports() == []


def test_a_class_name_means_one_thing() -> None:
    assert set(measures.repeated_classes()) <= REPEATED_FOR_A_REASON


def test_functions_are_short() -> None:
    sizes = [each.lines for each in measures.functions()]
    assert statistics.median(sizes) <= 7
    assert statistics.quantiles(sizes, n=10)[-1] <= 20
    assert [each for each in measures.functions() if each.lines > 45] == []


def test_public_names_are_explained() -> None:
    bare, public = measures.undocumented()
    assert len(bare) <= 0.05 * public, bare


def test_a_page_is_its_template_and_one_view_of_the_same_noun() -> None:
    far = [(page.template, *page.views) for page in measures.shown_pages() if not page.is_found]
    assert far == [], "name the template by the noun of the module that renders it"


def test_evidence_is_read_through_its_class_alone() -> None:
    by_key = re.compile(r"\.evidence(\.get\(|\[)")
    found = [str(path.relative_to(measures.ROOT)) for path in measures.files()]
    assert [name for name in found if by_key.search((measures.ROOT / name).read_text())] == []


def test_our_own_client_has_at_most_600_lines() -> None:
    """With its command line and what it says of itself; blank ones count for nothing."""
    lines = [line for file in CLIENT.rglob("*.py") for line in file.read_text().splitlines()]
    assert len([line for line in lines if line.strip()]) <= 600
