"""The decisions in docs/adr: links both ways, numbers, and the index that is made of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.launch.embedded_servers import ROOT


def decisions(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/decisions.py", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001-of-old.md").write_text("# 1. Of old\n\n- Date: 2026-01-01\n\nWe do this.\n")
    return tmp_path


def test_every_link_goes_both_ways_and_the_index_is_current() -> None:
    done = decisions("--check")
    assert done.returncode == 0, done.stdout


def test_what_amends_an_older_one_is_named_there_and_in_the_index(folder: Path) -> None:
    new = folder / "0004-of-late.md"
    new.write_text("# 0004: Of late\n\n- Amends: 1\n\nWe do more.\n")
    assert decisions(folder, "--check").returncode == 1
    assert decisions(folder).returncode == 0
    assert (folder / "0001-of-old.md").read_text() == (
        "# 1. Of old\n\n- Date: 2026-01-01\n- Status: amended\n"
        "- Amended by: [ADR 4](0004-of-late.md)\n\nWe do this.\n"
    )
    assert new.read_text().startswith("# 4. Of late\n\n- Date: 2")
    assert "- Status: accepted\n- Amends: [ADR 1](0001-of-old.md)\n\nWe" in new.read_text()
    index = (folder / "README.md").read_text()
    assert "| 1 | [Of old](0001-of-old.md) | 2026-01-01 | amended by 4 |" in index
    assert "Numbers that were never given: 2, 3." in index
    assert decisions(folder, "--check").returncode == 0, "what it wrote it reads"


def test_what_is_superseded_says_by_which(folder: Path) -> None:
    (folder / "0002-of-late.md").write_text("# 2. Of late\n\n- Supersedes: 1\n\nNo longer.\n")
    decisions(folder)
    assert (
        "- Status: superseded\n- Superseded by: [ADR 2]" in (folder / "0001-of-old.md").read_text()
    )
    assert "| superseded by 2 |" in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("0001-twice.md", "# 1. Twice\n\nText.\n", "0001-twice.md have one number"),
        (
            "0002-of-what.md",
            "# 2. Of what\n\n- Amends: 7\n\nText.\n",
            "names 7, which is no earlier",
        ),
        ("0002-untitled.md", "## Two\n", "has to begin with “# 2. ”"),
        ("0002-other.md", "# 3. Other\n", "has to begin with “# 2. ”"),
        ("0002-odd.md", "# 2. Odd\n\n- Mood: good\n\nText.\n", "has “Mood” in its head"),
    ],
)
def test_what_cannot_be_right_is_told(folder: Path, name: str, text: str, said: str) -> None:
    (folder / name).write_text(text)
    refused = decisions(folder)
    assert refused.returncode == 1
    assert said in refused.stdout
    assert not (folder / "README.md").exists()
