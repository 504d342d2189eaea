"""The drill: a house with pictures is backed up, its host is wiped, and it comes back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.launch import embedded_servers
from tests.backups.drilled_house import House

PASSPHRASE = "a safe in another town\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    state = Path(tempfile.mkdtemp(prefix="drill-", dir=embedded_servers.ROOT / "var" / "test"))
    state.chmod(0o755)
    yield House(state, tmp_path)
    shutil.rmtree(state, ignore_errors=True)


@pytest.mark.slow
def test_wiped_house_comes_back_whole(house: House) -> None:
    backup, words = house.outside / "backup", house.outside / "passphrase"
    words.write_text(PASSPHRASE)
    opened = f"--passphrase-file={words}"
    house.manage("prepare_house")
    house.fill(5)
    told = house.manage("backup", str(backup), opened)
    assert "is a whole backup" in told
    for path in backup.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert (house.outside / "backup.keys").stat().st_mode & 0o777 == 0o600

    assert "there is a house in it" in house.run("manage.py", "restore", str(backup), opened).stderr
    house.wipe()
    house.manage("restore", str(backup), opened)
    assert "This is the house of the backup" in house.manage("verify_restore", str(backup))

    house.manage("prepare_house")  # as every start does
    assert "This picture comes from this system" in house.page_of_picture()
    assert house.log_on() > 3
    assert "This is the house of the backup" in house.manage("verify_restore", str(backup))

    lost = next((house.state / "media" / "images").rglob("*.png"))
    lost.write_bytes(b"another picture")
    bad = house.run("manage.py", "verify_restore", str(backup))
    assert bad.returncode == 1
    assert f"{lost.relative_to(house.state / 'media')} in the storage is not what" in bad.stderr
