"""What no process goes on without: keys that are this house's own, a storage that does not refuse
it, and for the web the release's files.
"""

import logging

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.db import DatabaseError

from config.core import database_connections
from config.core.errors import ProofsheetError
from config.core.storage import StorageAway, StorageRefused, private_storage
from provenance.log import own_keys

logger = logging.getLogger(__name__)


def require_for_web() -> None:
    """End a web process in production that lacks any. Locally `make run` prepared the house."""
    if not settings.IS_LOCAL:
        require_static_files()
        require_own_keys()
        require_storage()


@database_connections.given_back
def require_own_keys() -> None:
    """End the process with one sentence where its keys folder is empty or another house's.

    While the database is away nobody can tell; whoever writes to the log asks again.
    """
    try:
        own_keys.require()
    except ProofsheetError as error:
        raise SystemExit(f"{error.message} {error.advice}") from error
    except DatabaseError:
        logger.warning("the database does not answer: whose the signing keys are is asked later")


def require_storage() -> None:
    """End the process with one sentence where the storage of files refuses the house; while it is
    only away, requests wait for it.
    """
    try:
        private_storage().exists("quarantine")
    except StorageRefused as error:
        raise SystemExit(f"{error.message} See PRIVATE_STORAGE_OPTIONS.") from error
    except StorageAway as error:
        logger.warning("%s It is waited for.", error.message)


def has_static_files() -> bool:
    """Whether the release's static files were collected where this process serves them from."""
    storage = staticfiles_storage
    return not isinstance(storage, ManifestFilesMixin) or storage.manifest_hash != ""


def require_static_files() -> None:
    """End a process that would answer every page with an error."""
    if not has_static_files():
        raise SystemExit(
            f"There are no static files in {settings.STATIC_ROOT}, and every page needs them. "
            "Run `manage.py collectstatic` on this host, or set STATIC_ROOT to where they lie."
        )
