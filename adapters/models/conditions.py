"""Conditions that models and adapters do not meet."""

from config.core.errors import ProofsheetError
from config.core.transitions import WrongState


class AdapterWrongState(WrongState):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "adapter_wrong_state"
    default_message = "This adapter has already moved on, so that step is no longer possible."


class SizeNotOffered(ProofsheetError):
    default_code = "size_not_offered"
    default_status = 422
    default_message = "The model cannot make images of that size."
    default_advice = "Choose one of the sizes that the studio lists for the model."
