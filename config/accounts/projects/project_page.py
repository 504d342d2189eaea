"""What a project's page shows, whichever of its forms was sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.accounts.api_keys import key_issuing
from config.accounts.projects import administering, end_user_rights
from config.accounts.projects.project_forms import (
    GrantForm,
    MemberForm,
    OrganisationForm,
    OverlayForm,
    ProjectKeyForm,
    SettingsForm,
)
from config.core.pages import SignedIn
from config.core.projects.models import EndUser
from config.models import ApiKey
from generation.requests import project_limits
from moderation.account_status import end_user_standing
from moderation.policy import overlays

Role = administering.Role
END_USERS_SHOWN = 25


def shown(request: SignedIn, project_id: UUID, *, status: int = 200, **said: Any) -> HttpResponse:
    """The page for this member; `said` are forms with their errors, and a key that was made."""
    project, role = administering.find(project_id, by=request.user)
    now, asked = timezone.now(), request.GET
    images, device_s, in_flight = project_limits.used_by(project, at=now)
    served = end_user_rights.found(
        project,
        claimed=asked.get("end_user", "")[:2000],
        standing=asked.get("standing", ""),
    )
    context = {
        "project": project,
        "role": role,
        "is_owner": role == Role.OWNER,
        "acts": role != Role.VIEWER,
        "may_grant": request.user.has_perm("projects.grant_quotas"),
        "members": administering.members_of(project),
        "keys": key_issuing.keys_in(project),
        "overlaps": key_issuing.OVERLAPS_HOURS,
        "used": {"images": images, "device_s": round(device_s), "in_flight": in_flight},
        "strikes": end_user_standing.strikes_of_project(project.pk, at=now),
        "end_users": served[:END_USERS_SHOWN],
        "standings": EndUser.Standing.choices,
        "asked": asked,
        "now": now,
        "settings_form": SettingsForm(instance=project),
        "organisation_form": OrganisationForm(instance=project.organisation),
        "grant_form": GrantForm(instance=project),
        "member_form": MemberForm(),
        "overlays": overlays.versions_of(project),
        "overlay_form": OverlayForm(),
        "key_form": ProjectKeyForm(by=request.user, project=project),
    }
    return render(request, "house/project.html", context | said, status=status)


def key_of(project_id: UUID, key_id: int, *, by: User) -> ApiKey:
    """A key that is not revoked, of a project where `by` may act.

    Raises NoSuchProject, RoleTooLow, KeyNotFound.
    """
    project, _ = administering.find(project_id, by=by, needs=Role.DEVELOPER)
    row = key_issuing.keys_in(project).filter(pk=key_id).first()
    if row is None:
        raise key_issuing.KeyNotFound
    return row
