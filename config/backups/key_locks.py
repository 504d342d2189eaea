"""How commands are told what locks and opens a backup's keys."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from config.backups.key_bundle import Identity, LockUnusable, Passphrase, Recipient


def add_passphrase(parser: argparse._MutuallyExclusiveGroup) -> None:
    """The option that both commands have; a passphrase as an argument would be seen by everybody on
    the host."""
    parser.add_argument(
        "--passphrase-file", metavar="FILE", type=Path, help="its first line is the passphrase"
    )


def lock_of(options: dict[str, Any]) -> Passphrase | Recipient | None:
    """None where keys are to be left out. Raises LockUnusable."""
    return Recipient.read(options["recipient"]) if options["recipient"] else _passphrase(options)


def opener_of(options: dict[str, Any]) -> Passphrase | Identity | None:
    """None where nothing is said. Raises LockUnusable."""
    return Identity.read(options["identity"]) if options["identity"] else _passphrase(options)


def _passphrase(options: dict[str, Any]) -> Passphrase | None:
    path: Path | None = options["passphrase_file"]
    if path is None:
        return None
    try:
        return Passphrase(path.read_text().split("\n")[0])
    except (OSError, UnicodeDecodeError) as error:
        raise LockUnusable(message=f"{path} cannot be read: {error}.") from error
