"""Which house this is: its folder, its keys, whether it is one host's alone."""

import contextlib
import json
import os
import secrets
from pathlib import Path

from config.env import env_bool, env_str

ROOT = Path(__file__).resolve().parents[2]
STATE_DIR = Path(env_str("PROOFSHEET_STATE_DIR", str(ROOT / "var"))).resolve()
PROOFSHEET_KEYS_DIR = Path(env_str("PROOFSHEET_KEYS_DIR", str(STATE_DIR / "keys"))).resolve()

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is ever fetched from a model hub at run time

DEBUG = env_bool("DEBUG", False)
IS_LOCAL = env_bool("PROOFSHEET_LOCAL", True)  # one host, plain HTTP, demo accounts


def _embedded_urls() -> dict[str, str]:
    """Addresses that config.launch.embedded_servers wrote when it started the embedded servers."""
    try:
        urls: dict[str, str] = json.loads((STATE_DIR / "services.json").read_text())
    except (OSError, ValueError):
        return {}
    return urls


def _secret_key() -> str:
    """SECRET_KEY, or in the local default one made at the first start and kept with the keys."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    if not IS_LOCAL:
        return ""  # which config.checks tells together with all else that is missing
    path = PROOFSHEET_KEYS_DIR / "django_secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(part, path)  # the first of two processes wins; both then read the same key
        part.unlink()
    return path.read_text()


SECRET_KEY = _secret_key()
EMBEDDED = _embedded_urls()
