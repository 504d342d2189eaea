"""What the house does on news from the rooms."""

from typing import Any

from config.accounts.api_keys import key_issuing
from moderation.models import Decision
from moderation.signals import decision_enforced


def connect() -> None:
    """Listen to decisions that are put in force."""
    decision_enforced.connect(end_keys, dispatch_uid="house.end_keys")


def end_keys(*, decision: Decision, **_: Any) -> None:
    """A suspended account's programs stop with it, in the decision's transaction."""
    if decision.end_user_id is not None:
        return  # it acts on whom the project served, not on the project's own programs
    if decision.action == Decision.Action.SUSPEND and decision.owner_id is not None:
        key_issuing.revoke_all(decision.owner_id, at=decision.decided_at)
