"""Settings of the provenance benchmark: the project's own, on servers that write to disk as
installed ones do. Processes that it starts find them through the environment.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from config.launch import embedded_servers

(embedded_servers.ROOT / "var" / "bench").mkdir(parents=True, exist_ok=True)
STATE = Path(tempfile.mkdtemp(prefix="provenance-", dir=embedded_servers.ROOT / "var" / "bench"))
STATE.chmod(0o755)
os.environ["PROOFSHEET_STATE_DIR"] = str(STATE)
for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"):
    os.environ.pop(name, None)  # never the servers of the shell that it runs in
_servers = embedded_servers.embedded(STATE, is_durable=True)
_servers.__enter__()


def _stop() -> None:
    _servers.__exit__(None, None, None)
    shutil.rmtree(STATE, ignore_errors=True)


atexit.register(_stop)
os.environ["DATABASE_URL"] = os.environ.pop("DATABASE_OWNER_URL")  # benchmarks make tables

from config.settings import *  # noqa: E402, F403 - the addresses above must be set first
from provenance.keys import key_folder  # noqa: E402 - likewise

key_folder.load_or_make(PROOFSHEET_KEYS_DIR)  # noqa: F405 - from the star above
