"""Settings of the tests: the project's own, on servers started for this one process of the run."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from config.launch import embedded_servers

# What no house has is missing here too, and in every process that a test starts.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # makes its import fail
AS_INSTALLED = str(Path(__file__).with_name("as_installed"))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [AS_INSTALLED, *filter(None, [os.environ.get("PYTHONPATH")])]
)
# Two processes share two cores (ADR 85): more threads would only wait for each other.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
(embedded_servers.ROOT / "var" / "test").mkdir(parents=True, exist_ok=True)
STATE = Path(tempfile.mkdtemp(prefix="run-", dir=embedded_servers.ROOT / "var" / "test"))
os.environ["PROOFSHEET_STATE_DIR"] = str(STATE)
STATE.chmod(0o755)
for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "CACHE_URL"):
    os.environ.pop(name, None)  # tests never touch the servers of a shell that they run in
atexit.register(shutil.rmtree, STATE, ignore_errors=True)
APP_DATABASE_URL = ""  # as a house has it; tests make tables


def _hands_out() -> bool:
    """Whether this process only hands out the tests to others, which have servers of their own."""
    parts = any(word.startswith(("-n", "--numprocesses")) for word in sys.argv[1:])
    return parts and "PYTEST_XDIST_WORKER" not in os.environ


if not _hands_out():
    _servers = embedded_servers.embedded(STATE, is_durable=False)
    _servers.__enter__()
    atexit.register(_servers.__exit__, None, None, None)
    APP_DATABASE_URL = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = os.environ.pop("DATABASE_OWNER_URL")

from config.settings import *  # noqa: E402, F403 - the addresses above must be set first
from provenance.keys import key_folder  # noqa: E402 - likewise

key_folder.load_or_make(PROOFSHEET_KEYS_DIR)  # noqa: F405 - from the star above
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["staticfiles"] = {  # noqa: F405 - from the star above
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {  # noqa: F405 - likewise
    "user": "100000/min",
    "moderate": "100000/min",
    "anon": "100000/min",
    "verify": "100000/min",
}
# Tests sign more people in than one address does in a minute; wrong passwords stay bound.
ACCOUNT_RATE_LIMITS |= dict.fromkeys(  # noqa: F405 - likewise
    ("login", "signup", "reset_password"), "100000/m/ip"
)
PROOFSHEET_REMEMBER_S = 0  # a test that changes a row means it
# It asks once in two seconds, which tests that count queries would notice now and then.
MIDDLEWARE = [name for name in MIDDLEWARE if "maintenance_door" not in name]  # noqa: F405 - likewise
# Which screenings are drawn follows from their random ids; a test that needs some says so.
PROOFSHEET_AUDIT_PASSED_PER_MILLE = PROOFSHEET_AUDIT_FLAGGED_PER_MILLE = 0
