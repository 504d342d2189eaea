"""The condition of a transition that an adapter does not have."""

from config.core.transitions import WrongState


class AdapterWrongState(WrongState):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "adapter_wrong_state"
    default_message = "This adapter has already moved on, so that step is no longer possible."
