"""Making projects, finding one's own, setting them, and saying who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from config.accounts.api_keys import key_issuing
from config.core import ownership
from config.core.errors import ProofsheetError
from config.core.projects.models import Membership, Organisation, Project
from moderation.account_status import audiences

Role = Membership.MemberRole
MOST_PROJECTS = 20
SETTINGS = (
    *("name", "policy_profile", "allows_adult", "priority_ceiling", "allowed_models"),
    *("allowed_adapters", "end_user_images_a_day", "end_user_in_flight", "retention_days"),
    *("notice_name", "notice_address", "statement_issuer", "refusal_as"),
)
GRANTS = ("images_a_day", "device_seconds_a_day", "device_seconds_a_month", "in_flight")


class NoSuchProject(ProofsheetError):
    """Also what a stranger is told: which projects there are is their members' business."""

    default_code = "project_not_found"
    default_message = "There is no such project among yours."
    default_advice = "Your projects are listed on their page."
    default_status = 404


class RoleTooLow(ProofsheetError):
    """A member whose role does not reach."""

    default_code = "project_role_too_low"
    default_message = "Your role in this project does not allow that."
    default_advice = "Ask one of its owners."
    default_status = 403


class TooManyProjects(ProofsheetError):
    """As many as one person may own."""

    default_code = "too_many_projects"
    default_message = f"A person owns {MOST_PROJECTS} projects at most."
    default_advice = "Close one that nobody uses any more."
    default_status = 409


class MemberUnknown(ProofsheetError):
    """No open account of that name, or nobody who belongs to the project."""

    default_code = "member_unknown"
    default_message = "There is no account of that name."
    default_advice = "Ask the person what their account is called here."
    default_status = 422


class LastOwner(ProofsheetError):
    """Somebody must own a project."""

    default_code = "last_owner"
    default_message = "A project keeps one owner at least."
    default_advice = "Make somebody else an owner first, or close the project."
    default_status = 409


class PersonalIsOnesOwn(ProofsheetError):
    """Nobody joins a person's own project, and it is not closed."""

    default_code = "project_is_personal"
    default_message = "This project is a person's own: nobody else joins it, and it stays open."
    default_advice = "Make a project for what several people work on."
    default_status = 409


class NotForAdults(ProofsheetError):
    """A profile for adults where adult content does not exist."""

    default_code = "project_not_for_adults"
    default_message = "This profile is for projects in which adult content exists."
    default_advice = "Say so first (allows_adult), or choose another profile."
    default_status = 422


class OrganisationAbsent(ProofsheetError):
    """A project that a person answers for."""

    default_code = "organisation_absent"
    default_message = "No organisation answers for this project."
    default_advice = "Name one when you make a project."
    default_status = 404


class OrganisationShared(ProofsheetError):
    """It answers for other people's projects too."""

    default_code = "organisation_shared"
    default_message = "This organisation answers for projects that you do not own."
    default_advice = "Whoever owns all of them can change it."
    default_status = 409


def projects_of(user: User) -> QuerySet[Project]:
    """The person's projects, the own one first; closed ones last."""
    found = ownership.projects_of(user).select_related("organisation")
    return found.order_by("-closed_at", "personal_of", "name", "id")


def find(project_id: UUID, *, by: User, needs: Role = Role.VIEWER) -> tuple[Project, Role]:
    """One of the person's projects with their role. Raises NoSuchProject, RoleTooLow."""
    project = ownership.projects_of(by).filter(pk=project_id).first()
    if project is None:
        raise NoSuchProject
    role = Role(Membership.objects.get(project=project, user=by).role)
    reached = {Role.VIEWER: 0, Role.DEVELOPER: 1, Role.OWNER: 2}
    if reached[role] < reached[needs]:
        raise RoleTooLow
    return project, role


@transaction.atomic
def make(
    *, by: User, name: str, organisation: str = "", contact: str = "", at: datetime
) -> Project:
    """A project that `by` owns, where one is named of an organisation: the one of that name whose
    projects `by` owns already, else a new one. Raises TooManyProjects.

    It has the limits of its members' accounts until an operator grants it limits of its own.
    """
    User.objects.select_for_update().get(pk=by.pk)  # two at once count each other
    owned = Membership.objects.filter(user=by, role=Role.OWNER, project__closed_at=None)
    if owned.count() > MOST_PROJECTS:  # the own one is none of them
        raise TooManyProjects
    answers = _organisation(organisation, contact, by=by, at=at) if organisation else None
    made = Project.objects.create(name=name, organisation=answers, created_at=at)
    Membership.objects.create(project=made, user=by, role=Role.OWNER, since=at)
    return made


def set_contact(project_id: UUID, contact: str, *, by: User) -> Project:
    """How who answers for the project is reached, from whoever owns all that it answers for.

    Raises NoSuchProject, RoleTooLow, OrganisationAbsent, OrganisationShared.
    """
    project, _ = find(project_id, by=by, needs=Role.OWNER)
    if (answers := project.organisation) is None:
        raise OrganisationAbsent
    if _has_foreign(answers, by):
        raise OrganisationShared
    answers.contact = contact
    answers.save(update_fields=["contact"])
    return project


def _has_foreign(organisation: Organisation, by: User) -> bool:
    owned = Membership.objects.filter(user=by, role=Role.OWNER).values("project_id")
    return Project.objects.filter(organisation=organisation).exclude(pk__in=owned).exists()


def _organisation(name: str, contact: str, *, by: User, at: datetime) -> Organisation:
    owned = Membership.objects.filter(user=by, role=Role.OWNER).values("project_id")
    theirs = Organisation.objects.filter(projects__in=owned, name=name).order_by("created_at")
    if (found := theirs.first()) is None:
        return Organisation.objects.create(name=name, contact=contact, created_at=at)
    if contact and not _has_foreign(found, by):  # else it is that of other people's projects too
        found.contact = contact
        found.save(update_fields=["contact"])
    return found


def change(project_id: UUID, said: Mapping[str, Any], *, by: User) -> Project:
    """Set what its owners may set, and for who may grant quotas the limits too.

    Raises NoSuchProject, RoleTooLow, NotForAdults.
    """
    project, _ = find(project_id, by=by, needs=Role.OWNER)
    names = [name for name in said if name in SETTINGS]
    if any(name in said for name in GRANTS):
        _check_grants(by)
        names += [name for name in said if name in GRANTS]
    for name in names:
        setattr(project, name, said[name])
    if project.policy_profile in audiences.NEED_AGE and not project.allows_adult:
        raise NotForAdults
    project.save(update_fields=names)
    return project


def grant(project_id: UUID, said: Mapping[str, int | None], *, by: User) -> Project:
    """Limits of its own, from whoever may grant them, a member or not. Raises NoSuchProject,
    RoleTooLow."""
    _check_grants(by)
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise NoSuchProject
    for name in GRANTS:
        setattr(project, name, said.get(name))
    project.save(update_fields=GRANTS)
    return project


def _check_grants(by: User) -> None:
    if not by.has_perm("projects.grant_quotas"):
        raise RoleTooLow(advice="Ask an operator of the house.")


def members_of(project: Project) -> QuerySet[Membership]:
    """Who belongs to it, owners first."""
    rows = project.memberships.select_related("user")
    return rows.alias(is_owner=Q(role=Role.OWNER)).order_by("-is_owner", "role", "user__username")


@transaction.atomic
def set_member(
    project_id: UUID, username: str, role: str | None, *, by: User, at: datetime
) -> None:
    """Take somebody in, give another role, or with None let them go, with their keys of it.

    Raises NoSuchProject, RoleTooLow, MemberUnknown, LastOwner, PersonalIsOnesOwn.
    """
    project, _ = find(project_id, by=by, needs=Role.OWNER)
    if project.is_personal:
        raise PersonalIsOnesOwn
    Project.objects.select_for_update().get(pk=project.pk)  # two owners leave one after the other
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise MemberUnknown
    others = project.memberships.filter(role=Role.OWNER).exclude(user=person)
    was = project.memberships.filter(user=person).first()
    if was is not None and was.role == Role.OWNER and role != Role.OWNER and not others.exists():
        raise LastOwner
    if role in (None, Role.VIEWER):
        project.api_keys.filter(owner=person, revoked_at=None).update(revoked_at=at)
    if role is None:
        project.memberships.filter(user=person).delete()
        return
    Membership.objects.update_or_create(
        project=project,
        user=person,
        defaults={"role": role},
        create_defaults={"role": role, "since": at},
    )


def close(project_id: UUID, *, by: User, at: datetime) -> None:
    """Nothing new in its name, and its keys end; what there is stays. Raises as `set_member`."""
    project, _ = find(project_id, by=by, needs=Role.OWNER)
    if project.is_personal:
        raise PersonalIsOnesOwn
    with transaction.atomic():
        Project.objects.filter(pk=project.pk, closed_at=None).update(closed_at=at)
        key_issuing.keys_in(project).update(revoked_at=at)
