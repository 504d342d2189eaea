"""For which of their projects somebody in a browser asks: said once, kept in their session.

It is a choice, not a bond as a key is: they still see what is theirs elsewhere. Programs say it by
their key, so the API does not read the session's choice.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet

from config.core.errors import ProofsheetError
from config.core.projects import calling, personal
from config.core.projects.models import Membership, Project

KEPT_AS = "project"


class NotToChoose(ProofsheetError):
    """No project of theirs, one that they only look at, or a closed one."""

    default_code = "project_not_to_choose"
    default_message = "You cannot ask for anything in the name of that project."
    default_advice = "Choose one in which you are a developer or an owner, and which is open."
    default_status = 404


def choices(user: Any) -> QuerySet[Project]:
    """The open projects in which the person acts, the own one first."""
    acting = Membership.objects.filter(user_id=user.pk).exclude(role=Membership.MemberRole.VIEWER)
    found = Project.objects.filter(pk__in=acting.values("project_id"), closed_at=None)
    return found.order_by("personal_of", "name", "id")


def choose(request: Any, project_id: UUID | None) -> Project:
    """From here on this session asks for that project. Raises NotToChoose."""
    found = _named(request.user, project_id)
    request.session[KEPT_AS] = str(found.pk)
    apply(request)
    return found


def apply(request: Any) -> None:
    """Have the person of this request act for the project that their session chose; who no longer
    may is told, and asks for themselves again."""
    if not (said := request.session.get(KEPT_AS)):
        return
    found = choices(request.user).filter(pk=said).first()
    if found is None:
        del request.session[KEPT_AS]
        messages.warning(request, "You can no longer ask for that project: now it is your own.")
    elif not found.is_personal:
        request.working_in = found
        calling.choose(request.user, found)


def hold(request: Any, project_id: UUID | None) -> None:
    """Have this one request be for the project that its form was written for, though the session
    chose another meanwhile. Raises NotToChoose."""
    if project_id is not None and calling.project_for(request.user).pk != project_id:
        calling.choose(request.user, _named(request.user, project_id))


def _named(user: Any, project_id: UUID | None) -> Project:
    personal.project_of(user)  # which is made when it is first needed
    found = choices(user).filter(pk=project_id).first() if project_id else None
    if found is None:
        raise NotToChoose
    return found
