"""Starts the embedded servers that no setting replaces, and tells other commands where they are.

Hand-written because the wheel's own launcher changes permissions of parent folders when it runs
as root; see docs/adr/0002-embedded-servers.md. DATABASE_URL names a PostgreSQL outside, BROKER_URL
and CACHE_URL name brokers and caches outside: for each of them nothing is started here.
"""

import atexit
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.launch import folder_lock, private_files
from config.launch.child_processes import CannotStart
from config.launch.postgres import Postgres
from config.launch.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
NEEDED_BYTES = 500 * 1024 * 1024


@dataclass(slots=True)
class Servers:
    """The embedded servers that run, and the addresses of all three services."""

    running: list[Postgres | Valkey] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)


def state_dir() -> Path:
    """Where everything lies that is made at run time: PROOFSHEET_STATE_DIR, else `var/`."""
    return Path(os.environ.get("PROOFSHEET_STATE_DIR") or ROOT / "var").resolve()


def has_own_database() -> bool:
    """Whether PostgreSQL is started here, as no setting names one."""
    return not os.environ.get("DATABASE_URL")


def has_own_broker() -> bool:
    """BROKER_URL alone is enough where it is a Redis: the cache is its database 1 by default."""
    broker = os.environ.get("BROKER_URL", "")
    return not broker or not (broker.startswith("redis") or os.environ.get("CACHE_URL"))


def is_external() -> bool:
    """Whether settings name every server, so that none is started."""
    return not has_own_database() and not has_own_broker()


def changes_tables() -> bool:
    """Whether this process is a command that makes or changes tables, and does not only look."""
    changes = ("migrate", "prepare_house", "grant_role", "flush", "restore")
    return sys.argv[1:2] in [[each] for each in changes] and "--check" not in sys.argv


def require_folder(folder: Path) -> None:
    """Refuse to start where nothing can be written: PostgreSQL would fail later, less clearly."""
    try:
        private_files.make_passage(folder)
        with tempfile.TemporaryFile(dir=folder):
            free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        raise CannotStart(
            f"{folder} cannot be written ({error.strerror}): mend its permissions or set "
            "PROOFSHEET_STATE_DIR to another folder."
        ) from error
    if free_bytes < NEEDED_BYTES:
        raise CannotStart(
            f"The disk of {folder} has {free_bytes // 2**20} MiB free and Proofsheet needs "
            f"{NEEDED_BYTES // 2**20} MiB: free some space or set PROOFSHEET_STATE_DIR."
        )


@contextmanager
def embedded(folder: Path | None = None, *, is_durable: bool = True) -> Iterator[Servers]:
    """Run the embedded servers for the length of the block and publish their addresses.

    They are also written to `services.json` (mode 0600) so that other commands find them, and put
    into this process's environment for its children. The owner of the tables is in no file: what
    changes tables runs under whoever started the servers, or while no house runs.
    """
    folder = (folder or state_dir()).resolve()
    require_folder(folder)
    addresses = folder / "services.json"
    addresses.unlink(missing_ok=True)
    servers = Servers()
    try:
        _start(servers, folder, is_durable=is_durable)
        addresses.touch(mode=0o600)
        shared = {name: url for name, url in servers.urls.items() if name != "DATABASE_OWNER_URL"}
        addresses.write_text(json.dumps(shared))
        publish(servers.urls)
        yield servers
    finally:
        addresses.unlink(missing_ok=True)
        for server in reversed(servers.running):
            server.stop()


def _start(servers: Servers, folder: Path, *, is_durable: bool) -> None:
    if has_own_database():
        postgres = Postgres(folder / "postgres", is_durable=is_durable)
        servers.running.append(postgres)
        postgres.start()
        servers.urls["DATABASE_URL"] = postgres.url()
        servers.urls["DATABASE_OWNER_URL"] = postgres.owner_url()
    if has_own_broker():
        valkey = Valkey(folder / "valkey")
        servers.running.append(valkey)
        valkey.start()
        servers.urls["BROKER_URL"] = os.environ.get("BROKER_URL") or valkey.url(0)
        servers.urls["CACHE_URL"] = os.environ.get("CACHE_URL") or valkey.url(1)


def publish(urls: dict[str, str]) -> None:
    """Tell this process and its children where the servers are."""
    os.environ.update(urls)


def ensure_running() -> None:
    """For manage.py: use the servers that run here, or start them until this process ends."""
    if is_external():
        return
    folder = state_dir()
    require_folder(folder)
    only = folder_lock.only_one(folder)
    if not only.__enter__():
        publish(_wait_for_addresses(folder))
        if changes_tables() and not os.environ.get("DATABASE_OWNER_URL"):
            raise CannotStart(
                "A house is running here, and it alone may change its tables: stop it first. "
                "`make run` brings them up to date by itself."
            )
        return
    servers = embedded(folder)
    servers.__enter__()
    atexit.register(only.__exit__, None, None, None)
    atexit.register(servers.__exit__, None, None, None)


def _wait_for_addresses(folder: Path) -> dict[str, str]:
    """For as long as the process lives that starts them."""
    while True:
        with contextlib.suppress(OSError, ValueError):
            urls: dict[str, str] = json.loads((folder / "services.json").read_text())
            return urls
        with folder_lock.only_one(folder) as has_ended:
            if has_ended:
                raise CannotStart("The Proofsheet process that started here has ended: try again.")
        time.sleep(0.1)
