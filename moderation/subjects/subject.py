"""What moderation decides about: a kind, a UUID and an owner. It knows no request and no image."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Kind = Literal["prompt", "image", "adapter"]
Action = Literal["allow", "refuse", "blur", "age_restrict", "withdraw_adapter", "warn", "suspend"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that is decided about.

    ``owner_id`` is the primary key of the user who is told of the decision, or None when there is
    none. ``end_user_id`` is whom the project asked for: then decisions on persons act on that one.
    """

    kind: Kind
    id: UUID
    owner_id: int | None
    project_id: UUID | None = None
    end_user_id: UUID | None = None
