"""What is told when there is no room left to keep a file."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from config.core.errors import ProofsheetError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class StorageFull(ProofsheetError):
    """The disk or the quota has no room left."""

    default_code = "storage_full"
    default_message = "There is no room left to keep the file, so nothing was kept."
    default_advice = "Try again later, and tell the operator: the storage is full."
    default_status = 507


@contextmanager
def writing(told: type[ProofsheetError] = StorageFull) -> Iterator[None]:
    """A full disk or quota inside raises `told`; every other error passes as it is."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise told from error
        raise
