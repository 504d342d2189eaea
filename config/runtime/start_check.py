"""What no process goes on without: keys that are this house's own."""

import logging

from django.db import DatabaseError, connection

from config.core.errors import ProofsheetError
from provenance.log import own_keys

logger = logging.getLogger(__name__)


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
    finally:
        connection.close()
