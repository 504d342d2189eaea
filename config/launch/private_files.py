"""What this house writes is nobody else's: files 0600, folders 0700."""

from __future__ import annotations

import os
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def begin() -> None:
    """To be called first in every process: what it creates is private."""
    os.umask(0o077)


def close(folder: Path) -> None:
    """Shut a folder of an earlier release to others, and so all that is in it."""
    if folder.is_dir() and folder.stat().st_mode & 0o077:
        folder.chmod(FOLDER_MODE)


def make_passage(folder: Path) -> None:
    """Make `folder`, which others may pass through but not list: PostgreSQL runs as somebody else
    where this house runs as root."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        each.chmod(0o711)
