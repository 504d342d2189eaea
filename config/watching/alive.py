"""Whether the process of this container lives: what an image's healthcheck runs.

    python -m config.watching.alive

Asks the ports that processes are watched on; imports nothing that takes time.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

PORTS = 75  # of all kinds: own_port.PORTS
PATIENCE_S = 5


def is_alive(first: int) -> bool:
    """Whether one of the ports from `first` on answers `/livez`; one that is closed says so at
    once."""
    return any(_answers(first + offset) for offset in range(PORTS))


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with suppress(OSError, HTTPException):
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    return False


if __name__ == "__main__":
    sys.exit(0 if is_alive(int(os.environ["METRICS_PORT"])) else 1)
