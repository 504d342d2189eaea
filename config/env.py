"""Typed readers of environment variables: a wrong value fails at start, by its name."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


def env_str(name: str, default: str) -> str:
    """An empty variable counts as one that is not set."""
    return os.environ.get(name) or default


def env_bool(name: str, default: bool) -> bool:
    """1 or 0 and their words. Raises ImproperlyConfigured for others."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}: write 1 or 0.")


def env_choice(name: str, choices: tuple[str, ...]) -> str:
    """One of `choices`; the first is the default."""
    value = env_str(name, choices[0])
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}: write {' or '.join(choices)}.")
    return value


def env_int(name: str, default: int, *, most: int = 2**63 - 1) -> int:
    """0 to `most`. Raises ImproperlyConfigured for others, and for what is no whole number."""
    value = os.environ.get(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number.") from error
    if not 0 <= number <= most:
        raise ImproperlyConfigured(f"{name} is {number}: write 0 to {most}.")
    return number


def env_list(name: str, default: list[str]) -> list[str]:
    """Separated by commas; empty parts are left out."""
    value = os.environ.get(name)
    if value is None:
        return default
    return [part.strip() for part in value.split(",") if part.strip()]


def database_from_url(url: str, *, pool_size: int) -> dict[str, object]:
    """Django's DATABASES entry for a `postgresql://user:password@host:port/name?sslmode=…` URL."""
    parts = urlsplit(url)
    if not parts.scheme:
        raise ImproperlyConfigured(
            "DATABASE_URL is no address: write postgresql://user:password@host:port/name."
        )
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {parts.scheme!r}: Proofsheet runs on PostgreSQL only."
        )
    try:
        port = str(parts.port or "")
    except ValueError as error:
        raise ImproperlyConfigured("DATABASE_URL names a port that is no number.") from error
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "proofsheet",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": port,
        "OPTIONS": dict(parse_qsl(parts.query)) | {"pool": {"min_size": 1, "max_size": pool_size}},
    }


def beside(broker_url: str) -> str:
    """The cache's default: database 1 of the broker's own server, where that is a Redis."""
    parts = urlsplit(broker_url)
    if parts.scheme not in {"redis", "rediss"}:
        raise ImproperlyConfigured(
            f"BROKER_URL begins with {parts.scheme!r}, so CACHE_URL must name a Redis or Valkey."
        )
    return urlunsplit(parts._replace(path="/1"))
