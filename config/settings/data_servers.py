"""Database, cache and broker."""

import os
from typing import Any
from urllib.parse import urlsplit

from config.env import beside, database_from_url, env_choice, env_int, env_str
from config.launch import embedded_servers
from config.settings.instance import EMBEDDED

DATABASE_URL = env_str(
    "DATABASE_URL", EMBEDDED.get("DATABASE_URL", "postgresql://127.0.0.1/proofsheet")
)
DATABASE_ROLE = urlsplit(DATABASE_URL).username or ""
# Commands that make or change tables connect as their owner, where the application is another role.
CHANGES_TABLES = embedded_servers.changes_tables()
DATABASE_OWNER_URL = env_str("DATABASE_OWNER_URL", "") if CHANGES_TABLES else ""
if not CHANGES_TABLES:
    os.environ.pop("DATABASE_OWNER_URL", None)  # nothing that serves knows it, nor its children
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **database_from_url(
            DATABASE_OWNER_URL or DATABASE_URL, pool_size=env_int("DATABASE_POOL_SIZE", 16)
        ),
        "CONN_HEALTH_CHECKS": True,
        # A pooler that gives each transaction another connection knows no cursor of the last one.
        "DISABLE_SERVER_SIDE_CURSORS": env_choice("DATABASE_POOLER", ("none", "transaction"))
        == "transaction",
        "CONN_MAX_AGE": 0,  # under ASGI and thread pools connections come from the pool
    }
}
if CHANGES_TABLES:
    # Whoever waits for a table holds up everybody who comes after: not for long (ADR 164).
    _options = DATABASES["default"]["OPTIONS"]
    _options["options"] = f"{_options.get('options', '')} -c lock_timeout=5s".strip()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BROKER_URL = env_str("BROKER_URL", EMBEDDED.get("BROKER_URL", "redis://127.0.0.1:6379/0"))
CACHE_URL = env_str("CACHE_URL", EMBEDDED.get("CACHE_URL", "")) or beside(BROKER_URL)
CACHES = {
    "default": {
        "BACKEND": "config.runtime.forgiving_cache.ForgetfulRedisCache",
        "LOCATION": CACHE_URL,
    }
}
