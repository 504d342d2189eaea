"""Redis itself, out of Debian's package, started as the embedded Valkey is."""

from __future__ import annotations

from pathlib import Path

from config.launch.valkey import Valkey

SERVER = Path("/usr/bin/redis-server")


class RedisServer(Valkey):
    """At the same address each time, with what it was told to keep."""

    def program(self) -> Path:
        return SERVER
