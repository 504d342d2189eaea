"""The one thing that can be wrong with a move between states."""

from config.core.errors import ProofsheetError


class WrongState(ProofsheetError):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "wrong_state"
    default_status = 409
    default_message = "This has already moved on, so that step is no longer possible."
    default_advice = "Reload the page to see where it stands."
