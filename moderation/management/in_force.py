"""Which policies the screening commands judge by: those in force, or those that ship where no
database answers.
"""

import socket
from pathlib import Path

from django.core.management.base import OutputWrapper
from django.db import DatabaseError, connection

from moderation.policy import drafting
from moderation.policy.rulebook import policy_document

TIMEOUT_S = 2.0


def settle_policies(stderr: OutputWrapper) -> bool:
    """Whether a database answers; where none does, the site's own versions are left out, and that
    is said.
    """
    if _are_readable():
        return True
    policy_document.use_source(None)
    stderr.write("No database answers, so the policies that ship judge.")
    return False


def _are_readable() -> bool:
    place = connection.settings_dict
    host, port = str(place["HOST"]), int(place["PORT"] or 5432)
    if host.startswith("/"):
        return Path(host).exists() and _is_migrated()
    try:
        socket.create_connection((host or "localhost", port), TIMEOUT_S).close()
    except OSError:
        return False
    return _is_migrated()


def _is_migrated() -> bool:
    try:
        drafting.PolicyRepository().active_version("general")
    except DatabaseError:
        return False
    return True
