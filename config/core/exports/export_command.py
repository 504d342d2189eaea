"""What every command that exports shares: the period, the folder and the checksums."""

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from uuid import UUID

from django.core.management.base import CommandError

from config.core.exports import checksums
from config.core.projects import project_filter


def add_arguments(parser: ArgumentParser) -> None:
    """The period and the folder: `--from`, `--to` and `--out`, all required; and `--project`."""
    for option, name, words in (
        ("--from", "first", "first day, in UTC"),
        ("--to", "last", "last day"),
    ):
        parser.add_argument(
            option, dest=name, help=words, type=_day, required=True, metavar="YYYY-MM-DD"
        )
    parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    parser.add_argument(
        "--project", type=_project, metavar="ID", help="of this project alone, by its id"
    )


def write(folder: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Write the files and SHA256SUMS; raises CommandError where the folder is not empty."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty; an export never overwrites another.")
        written = {}
        for name, data in files:
            (folder / name).write_bytes(data)
            written[name] = data
        (folder / "SHA256SUMS").write_bytes(checksums.sha256sums(written))
    except OSError as error:
        raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
    return written


def _project(text: str) -> UUID:
    try:
        found = project_filter.known(UUID(text))
    except ValueError:
        raise CommandError(f"There is no project “{text}”.") from None
    assert found is not None
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is not a day like 2026-11-24.") from None
