"""What `make` says and refuses."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.launch import folder_lock
from config.launch.embedded_servers import ROOT


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with its Makefile and an environment that looks installed."""
    for path in (ROOT / "Makefile", *ROOT.glob("requirements*.lock")):
        shutil.copy(path, tmp_path / path.name)
    for name in (".venv", "var"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_make_alone_has_a_line_for_every_target() -> None:
    [targets] = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    told = dict(line.split(maxsplit=1) for line in make(ROOT).stdout.splitlines())
    assert told.keys() == set(targets.split())


def test_clean_leaves_a_running_house_alone(folder: Path) -> None:
    with folder_lock.only_one(folder / "var"):
        refused = make(folder, "clean")
        assert refused.returncode
        assert "A house runs here: stop it first" in refused.stdout
        assert (folder / ".venv").exists()
    assert make(folder, "clean").returncode == 0
    assert not (folder / "var").exists()
    assert make(folder, "clean").returncode == 0, "nothing is there to be removed"


def test_another_python_is_refused_in_one_sentence(folder: Path) -> None:
    refused = make(folder, "run", "PYTHON=false")
    assert refused.returncode
    assert refused.stdout == "Proofsheet needs Python 3.11: make run PYTHON=/path/to/python3.11\n"
