"""What the tables of the room share: where files lie, and the condition of a transition."""

from django.core.files.storage import storages
from django.core.files.storage.base import Storage

from config.core.errors import ProofsheetError


def private_storage() -> Storage:
    """Storage that no URL serves: adapter files leave it only through a view that checks."""
    return storages["private"]


class WrongState(ProofsheetError):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "adapter_wrong_state"
    default_status = 409
    default_message = "This adapter has already moved on, so that step is no longer possible."
    default_advice = "Reload the page to see where it stands."
