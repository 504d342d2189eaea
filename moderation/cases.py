"""Review cases: open one, claim it under a lease, give it back."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from moderation.models import ReviewCase
from moderation.subjects import Subject


def open_case(*, subject: Subject, evidence: dict[str, Any], at: datetime) -> ReviewCase:
    """Open a case, or return the undecided one that the subject already has."""
    raise NotImplementedError


def claim(case: ReviewCase, *, by: AbstractBaseUser, at: datetime) -> ReviewCase:
    """Lease `case` to `by`; the returned row carries the token that a decision needs."""
    raise NotImplementedError
