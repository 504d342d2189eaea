"""What a reader names on the command line, read so that a slip is told and never means nothing.

A serial number in another spelling, or a digest in capitals, would match no certificate: what the
reader distrusts would hold.
"""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path

from config.core.errors import ProofsheetError
from provenance.log.formats import checkpoint

SERIAL = re.compile(r"(?:0x)?([0-9a-f]{1,60})")
DIGEST = re.compile(r"[0-9a-f]{64}")


def log_key(text: str) -> str:
    """A line of a house's /log/keys. Raises argparse.ArgumentTypeError, as all here."""
    try:
        checkpoint.parse_verifier_key(text)
    except ProofsheetError as error:
        raise argparse.ArgumentTypeError(
            f"that is no key of a log ({error.message}): give a line of the house's /log/keys"
        ) from error
    return text.strip()


def witness_key(text: str) -> str:
    """The key of a witness, as its operator tells it."""
    try:
        checkpoint.parse_witness_key(text)
    except ProofsheetError as error:
        raise argparse.ArgumentTypeError(
            f"that is no key of a witness ({error.message})"
        ) from error
    return text.strip()


def digest(text: str) -> str:
    """A SHA-256 in hexadecimal, in capitals or with colons too."""
    said = text.strip().replace(":", "").lower()
    if not DIGEST.fullmatch(said):
        raise argparse.ArgumentTypeError("that is no SHA-256: it has 64 hexadecimal digits")
    return said


def serials(text: str) -> tuple[str, ...]:
    """A certificate's serial number in decimal, from decimal or hexadecimal; of digits that can be
    read as both, both.
    """
    said = text.strip().lower().removeprefix("serial=")
    found = SERIAL.fullmatch(said.replace(":", ""))
    if not found:
        raise argparse.ArgumentTypeError("that is no serial number: it is decimal or hexadecimal")
    as_hexadecimal = str(int(found[1], 16))
    return (as_hexadecimal, str(int(said))) if said.isdecimal() else (as_hexadecimal,)


def distrusted(text: str) -> tuple[str, datetime]:
    """SHA256=TIME; a time without a zone is UTC."""
    name, _, time = text.partition("=")
    try:
        at = datetime.fromisoformat(time)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            "that is no SHA256=TIME, such as 6f…=2026-11-30T12:00"
        ) from error
    return digest(name), at.replace(tzinfo=at.tzinfo or UTC)


def parser(description: str) -> argparse.ArgumentParser:
    """The command's arguments; `revoked` is a list of spellings for each."""
    made = argparse.ArgumentParser(
        prog="provenance.offline",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("bundle", type=Path)
    made.add_argument("--image", type=Path, help="the picture that you have")
    made.add_argument("--log-key", type=log_key, help="the log's public key that you trust")
    for name, read, told in (
        ("--authority", digest, "SHA-256 of the authority that you trust; again for each earlier"),
        ("--witness", witness_key, "a witness's key that must have cosigned"),
        ("--revoked", serials, "serial number of a revoked certificate, decimal or hexadecimal"),
    ):
        made.add_argument(name, action="append", default=[], type=read, help=told)
    made.add_argument(
        "--distrusted",
        action="append",
        default=[],
        type=distrusted,
        metavar="SHA256=TIME",
        help="an authority that counts only for what the log of --log-key holds from before then",
    )
    return made
