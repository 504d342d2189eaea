"""What the house writes is nobody else's on this host."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from adapters.uploads import quarantine
from config.launch import embedded_servers, private_files
from config.launch.programs import Child
from generation.models import private_storage


@pytest.fixture
def lavish() -> Iterator[None]:
    """A shell whose new files everybody reads, as most do."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("lavish")
def test_private_media_are_0600_in_0700(tmp_path: Path, settings: Settings) -> None:
    options = {"location": str(tmp_path / "media")}
    settings.STORAGES = settings.STORAGES | {
        "private": {"BACKEND": settings.PRIVATE_STORAGE_BACKEND, "OPTIONS": options}
    }
    private_storage().save("images/a/b.png", ContentFile(b"x"))
    made = tmp_path / "media"
    assert mode(made / "images" / "a" / "b.png") == 0o600
    assert mode(made / "images") == mode(made / "images" / "a") == 0o700


@pytest.mark.usefixtures("lavish")
@pytest.mark.parametrize(
    "begins",
    ["import config.asgi", "import config.celery", "import manage; manage.main()",
     "from config.launch import supervisor; supervisor.main()"],
)  # fmt: skip
def test_every_process_begins_by_keeping_its_files_private(begins: str, tmp_path: Path) -> None:
    code = (
        "import sys, atexit; from pathlib import Path; sys.argv = ['manage.py', '--help'];"
        f"atexit.register(Path({str(tmp_path / 'made')!r}).touch); {begins}"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=embedded_servers.ROOT, capture_output=True, check=False
    )
    assert mode(tmp_path / "made") == 0o600


def test_logs_and_adapters_are_private(tmp_path: Path, settings: Settings) -> None:
    before = os.umask(0o022)
    try:
        private_files.begin()
        child = Child("brief", [sys.executable, "-c", "print('new')"], tmp_path / "brief.log")
        child.start()
        assert child.process
        child.process.wait()
        draft = quarantine.new_draft()
        draft.write_bytes(b"x")
        name = quarantine.keep(draft, f"adapters/{tmp_path.name}/a.safetensors")
        kept = Path(private_storage().path(name))
    finally:
        os.umask(before)
    assert mode(tmp_path / "brief.log") == mode(kept) == 0o600
    assert mode(kept.parent) == 0o700


def test_a_folder_of_an_earlier_release_is_shut(tmp_path: Path) -> None:
    old = tmp_path / "media"
    old.mkdir()
    old.chmod(0o755)
    private_files.close(old)
    assert mode(old) == 0o700
    private_files.close(tmp_path / "none")


def test_a_state_folder_is_made_to_be_passed_through_and_not_listed(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        embedded_servers.require_folder(tmp_path / "new" / "var")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == mode(tmp_path / "new" / "var") == 0o711
