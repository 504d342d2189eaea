"""The drill: a house with pictures is backed up, its host is wiped, and it comes back.

Typed are the lines of the pages for operators, in their order.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.launch import embedded_servers
from tests.backups.drilled_house import ROOT, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    state = Path(tempfile.mkdtemp(prefix="drill-", dir=embedded_servers.ROOT / "var" / "test"))
    state.chmod(0o755)
    yield House(state, tmp_path)
    shutil.rmtree(state, ignore_errors=True)


def lines(page: str) -> list[str]:
    text = (ROOT / "docs" / "operate" / page).read_text()
    fences = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for fence in fences for line in fence.splitlines()]


def typed(house: House, line: str, *, statuses: tuple[int, ...] = (0,)) -> str:
    """As an operator types it, with the page's folders within this test's."""
    here = re.sub(r"/(srv|media|etc)/", lambda found: f"{house.outside}/{found[1]}/", line)
    done = subprocess.run(
        ["bash", "-c", here], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
        env={"PATH": os.environ["PATH"], "PROOFSHEET_STATE_DIR": str(house.state)},
    )  # fmt: skip
    assert done.returncode in statuses, (line, done.stdout, done.stderr[-2000:])
    return done.stdout


@pytest.mark.slow
def test_wiped_house_comes_back_whole(house: House) -> None:
    make_key, make_public, back_up, restore, verify, prepare, close, reopen = lines("backup.md")
    (house.outside / "media" / "safe").mkdir(parents=True)
    (house.outside / "etc" / "proofsheet").mkdir(parents=True)
    house.manage("prepare_house")
    house.fill(5)
    for line in (make_key, make_public):
        typed(house, line)
    assert "is a whole backup" in typed(house, back_up)
    backup = house.outside / "srv" / "backup" / "tonight"
    for path in backup.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert (house.outside / "srv/keys/tonight.keys").stat().st_mode & 0o777 == 0o600

    house.wipe()
    typed(house, restore)
    assert "This is the house of the backup" in typed(house, verify)
    typed(house, prepare)  # as every start does
    assert "This picture comes from this system" in house.page_of_picture()
    assert house.log_on() > 3
    assert "This is the house of the backup" in typed(house, verify)
    assert "The house is closed" in typed(house, close)
    assert "The house is open" in typed(house, reopen)
    doctor, *others = lines("incident.md")
    assert "beat" in typed(house, doctor, statuses=(1,))  # nobody started its processes
    for line in others:
        typed(house, line)

    lost = next((house.state / "media" / "images").rglob("*.png"))
    lost.write_bytes(b"another picture")
    typed(house, verify, statuses=(1,))
