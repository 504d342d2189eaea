"""Whether the keys at hand are those of this log: a house with foreign keys must not sign.

An entry in the log is for ever, and a checkpoint that another key signed breaks it for whoever
follows it. So keys are made by `manage.py prepare_house` alone, and only for a log that has no
checkpoint yet; whoever appends or signs asks here first.
"""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from config.core.errors import ProofsheetError
from provenance.keys import installed_keys, key_folder
from provenance.keys.installed_keys import KeysInUse, keyring
from provenance.log.formats import checkpoint
from provenance.models import Checkpoint


class KeysForeign(ProofsheetError):
    """The database's log was signed by keys that are not in this process's folder."""

    default_code = "keys_foreign"
    default_message = "None of the keys in the keys folder signed the newest checkpoint of the log."
    default_advice = (
        "Mount the folder with this house's keys, or restore it from a backup, and look whether "
        "PROOFSHEET_LOG_ORIGIN was changed."
    )
    default_status = 503


def make() -> None:
    """The keys of a house that has none yet, and what a later release keeps beside them.

    Raises:
        KeysForeign: the log has a checkpoint already, and no key here signed it.
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    folder = Path(settings.PROOFSHEET_KEYS_DIR)
    if not key_folder.has_keys(folder) and Checkpoint.objects.exists():
        raise KeysForeign(
            message=f"The log has a checkpoint already, and there are no keys in {folder.name}/."
        )
    installed_keys.make_missing()
    require()


def require() -> None:
    """Raises `KeysForeign`, `KeysMissing` or `KeysUnusable`; asks the database once a process and
    set of keys.
    """
    _require(installed_keys.in_use(), settings.PROOFSHEET_LOG_ORIGIN)


def require_signer_of(head: Checkpoint) -> None:
    """Whether a key of this folder signed that checkpoint. Raises as `require`."""
    try:
        checkpoint.verify_by_any(
            head.note, origin=settings.PROOFSHEET_LOG_ORIGIN, keys=keyring().log_verifiers()
        )
    except checkpoint.NoteInvalid as error:
        raise KeysForeign from error


@lru_cache(maxsize=4)
def _require(keys: KeysInUse, origin: str) -> None:
    """`keys` and `origin` are asked for again: they are what a good answer is remembered by."""
    head = Checkpoint.objects.order_by("-tree_size").first()
    if head is None:
        keyring()
    else:
        require_signer_of(head)
