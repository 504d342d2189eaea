"""A RabbitMQ of one's own, out of Debian's package, that can be stopped, killed and started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from config.launch.child_processes import free_port

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
GREETING = b"AMQP\x00\x00\x09\x01"


@dataclass
class RabbitMQ:
    """At the same address each time, with what was durable."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plugins").write_text("[].")
        said = {
            "HOME": self.folder,  # the cookie
            "ERL_EPMD_PORT": free_port(),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"test-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": self.port,
            "RABBITMQ_DIST_PORT": free_port(),
            "RABBITMQ_MNESIA_BASE": self.folder / "data",
            "RABBITMQ_LOG_BASE": self.folder / "log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "plugins",
            "RABBITMQ_CONFIG_FILE": self.folder / "none",
        }
        self._variables = {name: str(value) for name, value in said.items()}

    def url(self, _number: int = 0) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        with (self.folder / "out").open("ab") as log:
            self.process = subprocess.Popen(
                [SERVER],
                env=os.environ | self._variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "out").read_text()[-2000:]
            time.sleep(0.1)

    def stop(self) -> None:
        """In order, and its helpers with it."""
        self._end(signal.SIGTERM)
        epmd = ["/usr/bin/epmd", "-port", self._variables["ERL_EPMD_PORT"], "-kill"]
        subprocess.run(epmd, capture_output=True, check=False)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait()

    def _answers(self) -> bool:
        """Whether it speaks the protocol, and not only listens."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as line:
                line.sendall(GREETING)
                return bool(line.recv(8))
        except OSError:
            return False
