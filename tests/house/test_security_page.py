"""What docs/audit says of security names tests that exist."""

import re

import pytest

from config.launch.embedded_servers import ROOT

PAGES = {name: (ROOT / "docs" / "audit" / name).read_text() for name in (
    "security.md", "tried-from-outside.md",
)}  # fmt: skip
TEXT = PAGES["security.md"]
LETTERED = {"A": 15, "B": 9, "C": 9, "D": 3}


def _named() -> list[tuple[str, str]]:
    """File and test of each that the pages name; `::test_…` alone is of the file before it."""
    found, file = [], ""
    for said, test in re.findall(r"`(test_\w+\.py)?(?:::(test_\w+))?`", "".join(PAGES.values())):
        file = said or file
        if said or test:
            found.append((file, test))
    return found


@pytest.mark.parametrize(("file", "test"), _named())
def test_what_the_page_names_exists(file: str, test: str) -> None:
    sources = [path.read_text() for path in (ROOT / "tests").rglob(file)]
    assert sources
    assert not test or any(f"def {test}(" in source for source in sources)


def test_every_item_that_was_tried_has_a_test() -> None:
    rows = re.findall(
        r"^\| ([A-D]\d+) .*`test_\w+\.py", PAGES["tried-from-outside.md"], re.MULTILINE
    )
    items = {f"{letter}{at + 1}" for letter, most in LETTERED.items() for at in range(most)}
    assert set(rows) == items


def test_the_page_names_tests_for_every_row() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and "held by" not in line]
    assert len(rows) >= 20
    assert all("`test_" in row or "`::test_" in row or "see above" in row for row in rows)


@pytest.mark.parametrize("number", sorted(set(re.findall(r"ADR (\d+)", TEXT))))
def test_the_decisions_it_names_exist(number: str) -> None:
    assert list((ROOT / "docs" / "adr").glob(f"{int(number):04d}-*.md"))
