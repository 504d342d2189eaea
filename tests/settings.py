"""Settings of the tests: the project's own, on servers started for this one test run."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from config import services

(services.ROOT / "var" / "test").mkdir(parents=True, exist_ok=True)
STATE = Path(tempfile.mkdtemp(prefix="run-", dir=services.ROOT / "var" / "test"))
os.environ["PROOFSHEET_STATE_DIR"] = str(STATE)
STATE.chmod(0o755)
for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "CACHE_URL"):
    os.environ.pop(name, None)  # tests never touch the servers of a shell that they run in
_servers = services.embedded(STATE, is_durable=False)
_servers.__enter__()


def _stop() -> None:
    _servers.__exit__(None, None, None)
    shutil.rmtree(STATE, ignore_errors=True)


atexit.register(_stop)
APP_DATABASE_URL = os.environ["DATABASE_URL"]  # as a house has it; tests make tables
os.environ["DATABASE_URL"] = os.environ.pop("DATABASE_OWNER_URL")

from config.settings import *  # noqa: E402, F403 - the addresses above must be set first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["staticfiles"] = {  # noqa: F405 - from the star above
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {  # noqa: F405 - likewise
    "user": "100000/min",
    "anon": "100000/min",
    "verify": "100000/min",
}
PROOFSHEET_REMEMBER_S = 0  # a test that changes a row means it
# Which screenings are drawn follows from their random ids; a test that needs some says so.
PROOFSHEET_AUDIT_PASSED_PER_MILLE = PROOFSHEET_AUDIT_FLAGGED_PER_MILLE = 0
