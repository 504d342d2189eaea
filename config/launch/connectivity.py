"""Asks the servers that settings name whether they answer, so that a start can say which does not.

Sentences name host and port, never a password.
"""

from urllib.parse import urlsplit

import kombu
import psycopg
from django.core.exceptions import ImproperlyConfigured

from config.env import database_from_url
from config.launch.child_processes import CannotStart, reason

PATIENCE_SECONDS = 5


def place(url: str) -> str:
    """Host and port of a URL, for people."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path or "an empty address"


def require_database(url: str) -> None:
    """Raises CannotStart, in a sentence without the password."""
    try:
        database_from_url(url, pool_size=1)
    except ImproperlyConfigured as error:
        raise CannotStart(str(error)) from error
    try:
        psycopg.connect(url, connect_timeout=PATIENCE_SECONDS).close()
    except psycopg.Error as error:
        raise CannotStart(
            f"DATABASE_URL names {place(url)}, but PostgreSQL cannot be used there: "
            f"{reason(str(error))}."
        ) from error


def require_broker(name: str, url: str) -> None:
    """`name` is the setting that holds `url`. Any transport that Celery knows."""
    try:
        with kombu.Connection(url, connect_timeout=PATIENCE_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, interval_start=1)
    except Exception as error:  # every transport has errors of its own, and all mean one thing
        raise CannotStart(
            f"{name} names {place(url)}, but no server answers there: {reason(str(error))}."
        ) from error
