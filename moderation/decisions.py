"""Decisions: refuse automatically, decide a case, reverse after an appeal."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser

from moderation.models import Decision, ReviewCase
from moderation.screening import ImageVerdict, PromptVerdict
from moderation.subjects import Action, Subject


def refuse_automatically(
    *, subject: Subject, verdict: PromptVerdict | ImageVerdict, evidence: dict[str, Any], at: datetime
) -> Decision:
    """Refuse without a person. ``decision.statement`` holds the statement of reasons."""
    raise NotImplementedError


def decide(
    case: ReviewCase,
    *,
    by: AbstractBaseUser,
    action: Action,
    reason: str,
    at: datetime,
    token: UUID,
    explanation: str = "",
) -> Decision:
    """Decide a leased case. Raises ``cases.StaleLease`` when `token` is not the lease's."""
    raise NotImplementedError
