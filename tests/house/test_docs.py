"""The documents: every link and path that they name leads somewhere, and the index names them all.

`make docs` checks the links of the site; these hold for the files as they lie in the repository.
"""

import re
import subprocess
from pathlib import Path

import pytest

from config.launch.embedded_servers import ROOT

TRACKED = frozenset(
    subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
)
FOLDERS = frozenset(str(parent) for name in TRACKED for parent in Path(name).parents)
PAGES = sorted(name for name in TRACKED if name.endswith(".md"))
OURS = [page for page in PAGES if page.startswith("docs/") or "/" not in page]
HISTORY = "CHANGELOG.md"  # names what there was
INDEXED = ("docs/adr/0", "docs/benchmarks/")  # by an index of their own
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(
    r"`((?:\.ci|adapters|config|docs|generation|moderation|provenance|templates|tests)/[\w./-]+)"
)


def words(page: str) -> str:
    """The page without what stands in fences."""
    return re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """Of its headings, as the repository's host makes them."""
    headings = re.findall(r"^#+ (.+)$", words(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def target(link: str, *, page: str) -> tuple[str, str]:
    """Path in the repository, and anchor, that a relative link leads to."""
    path, _, anchor = link.partition("#")
    place = (ROOT / page).parent / path if path else ROOT / page
    return str(place.resolve().relative_to(ROOT)), anchor


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_its_heading(page: str) -> None:
    lost = []
    for link in LINK.findall(words(page)):
        if re.match(r"[a-z]+:", link):
            continue
        place, anchor = target(link, page=page)
        if place not in TRACKED | FOLDERS or (anchor and anchor not in anchors(place)):
            lost.append(link)
    assert not lost


@pytest.mark.parametrize("page", [page for page in OURS if page != HISTORY])
def test_every_path_that_a_page_names_is_there(page: str) -> None:
    named = (path.rstrip("./") for path in PATH.findall(words(page)))
    lost = [path for path in named if path not in TRACKED | FOLDERS]
    assert not lost


@pytest.mark.parametrize("page", [page for page in OURS if page != HISTORY])
def test_every_module_that_a_page_names_is_there(page: str) -> None:
    """By the end of its path: `widening.py`, `loading/cuda_graphs.py`."""
    named = re.findall(r"`([\w./]+\.py)`", words(page))
    lost = [name for name in named if not any(f"/{each}".endswith(f"/{name}") for each in TRACKED)]
    assert not lost


@pytest.mark.parametrize("page", [page for page in OURS if page != HISTORY])
def test_every_program_that_a_page_names_is_there(page: str) -> None:
    """As it is called: `python -m tests.bench.bench_api --tiny`, `tests.house.measures --all`."""
    rooms = r"(?:adapters|config|generation|moderation|provenance|tests)(?:\.[a-z0-9_]+)+(?![\w.])"
    named = re.findall(rf"-m ({rooms})|`({rooms}) --", (ROOT / page).read_text())
    paths = ["".join(each).replace(".", "/") for each in named]
    assert [path for path in paths if not {f"{path}.py", f"{path}/__main__.py"} & TRACKED] == []


def test_the_index_names_every_page() -> None:
    named = {
        target(link, page="docs/README.md")[0] for link in LINK.findall(words("docs/README.md"))
    }
    own = {page for page in OURS if page.startswith(INDEXED)}
    assert set(OURS) - own - named <= {"docs/README.md"}


def test_the_benchmarks_index_names_every_benchmark() -> None:
    index = words("docs/benchmarks/README.md")
    for page in (ROOT / "docs" / "benchmarks").glob("*.json"):
        assert f"({page.stem}.md)" in index


def test_a_newcomers_ten_questions_are_answered_by_folders() -> None:
    asked = words("CONTRIBUTING.md").partition("## Ten questions of a newcomer")[2]
    rows = [row.split("|")[1:3] for row in re.findall(r"^\| .+\? \|.+$", asked, re.MULTILINE)]
    assert len(rows) == 10
    for question, answer in rows:
        places = PATH.findall(answer)
        assert places, question
        assert all(place.endswith("/") and place.rstrip("/") in FOLDERS for place in places), (
            question
        )
