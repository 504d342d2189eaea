"""Who calls, and on whose behalf: an account, a project, perhaps an end user, perhaps by a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from config.core.errors import ProofsheetError
from config.core.projects import end_users, personal
from config.core.projects.models import EndUser, Project

if TYPE_CHECKING:
    from config.models import ApiKey


END_USER_HEADER = "X-Proofsheet-End-User"


class ProjectClosed(ProofsheetError):
    """Nothing new is asked for in the name of a closed project."""

    default_code = "project_closed"
    default_message = "This project is closed."
    default_advice = "Its owners can open it again on the project's page."
    default_status = 403


@dataclass(frozen=True, slots=True)
class Caller:
    """`user` is the account that acts, `end_user` whom it acts for; no key means a session."""

    user: AbstractBaseUser
    project: Project
    end_user: EndUser | None = None
    key: ApiKey | None = None


def caller_of(request: HttpRequest | Any, *, claimed_end_user: str = "") -> Caller:
    """Who sent a request of Django's or of the API's: a key acts for its project, a session for the
    one that was chosen in it, else the person's own. Our header names the end user where the call
    has not.

    Raises ProjectClosed, EndUserIdTooLong.
    """
    key = getattr(request, "auth", None)
    user: Any = request.user
    project = project_for(user)
    if project.closed_at is not None:
        raise ProjectClosed
    claimed = claimed_end_user.strip() or request.headers.get(END_USER_HEADER, "").strip()
    end_user = end_users.seen(project, claimed) if claimed else None
    return Caller(user, project, end_user, key)


def act_in(user: AbstractBaseUser, project: Project) -> None:
    """From here on this person, as read for one request, acts in that project alone: whoever signs
    in by its key sees nothing else."""
    user._acting_in = project  # type: ignore[attr-defined]  # travels with the person of one request


def acting_in(user: Any) -> Project | None:
    """The project to which a key binds this person; None where a session acts."""
    found: Project | None = getattr(user, "_acting_in", None)
    return found


def choose(user: AbstractBaseUser, project: Project) -> None:
    """For this request the person does things in the name of that project, and still sees the
    others."""
    user._chosen = project  # type: ignore[attr-defined]  # as above


def project_for(user: AbstractBaseUser) -> Project:
    """In the name of which project the person does something now."""
    return acting_in(user) or getattr(user, "_chosen", None) or personal.project_of(user)


def as_caller(by: AbstractBaseUser | Caller) -> Caller:
    """The caller, from a domain function that takes a person as well."""
    return by if isinstance(by, Caller) else Caller(by, project_for(by))
