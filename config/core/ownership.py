"""Whose a row is: tables of people's own things say it once, in their manager.

A model writes `objects = OwnedRows.as_manager()`, or a subclass's where more than the owner may
look at a row. Views and domain functions then begin at `Model.objects.visible_to(user)`, so that
somebody else's row is not found rather than refused. Rows of a project (`ProjectRows`) are seen by
its members; whoever comes with a key sees the rows of the key's project alone.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q

from config.core.projects import calling
from config.core.projects.models import Membership, Project

Person = AbstractBaseUser | AnonymousUser
Row = TypeVar("Row", bound=models.Model, covariant=True)
ACTING = (Membership.MemberRole.OWNER, Membership.MemberRole.DEVELOPER)


class OwnedRows(models.QuerySet[Row]):
    """Rows that belong to an account."""

    owner: ClassVar[str] = "owner"
    """The lookup that leads to the account, across tables too, such as `request__owner`."""

    def owned_by(self, user: Person) -> Self:
        """The person's own; none for somebody who is not signed in, ownerless rows included."""
        return self.filter(**{self.owner: user.pk}) if user.pk is not None else self.none()

    def visible_to(self, user: Person) -> Self:
        """What the person may look at: their own, unless the table says more."""
        return self.owned_by(user)


class ProjectRows(OwnedRows[Row]):
    """Rows that belong to a project."""

    project: ClassVar[str] = "project"
    """The lookup that leads to the project, such as `decision__project`."""

    def visible_to(self, user: Person) -> Self:
        """Of every project in which the person is a member, whatever as."""
        return self.filter(within(self.project, user))

    def changeable_by(self, user: Person) -> Self:
        """Of the projects in which the person may act: not as a viewer."""
        return self.filter(within(self.project, user, roles=ACTING))

    def current_of(self, user: Person, project: UUID | None = None) -> Self:
        """What a list shows: the named project's rows, as far as the person is a member; else those
        of the project in whose name the person acts, which is the own one without a key."""
        if user.pk is None:
            return self.none()
        if project is not None:
            return self.visible_to(user).filter(**{self.project: project})
        return self.filter(**{self.project: calling.project_for(user)})  # type: ignore[arg-type] # asked above


def within(lookup: str, user: Person, *, roles: tuple[str, ...] = ()) -> Q:
    """The condition that `lookup`, a row's project, is one of the person's."""
    return Q(**{f"{lookup}__in": projects_of(user, roles=roles).values("pk")})


def memberships(user: Any) -> models.QuerySet[Any, Any]:
    """Ids of the projects to which the person belongs, with a key or without: nobody judges them
    who belongs there."""
    return Membership.objects.filter(user_id=user.pk).values("project_id")


def projects_of(user: Any, *, roles: tuple[str, ...] = ()) -> models.QuerySet[Project]:
    """The projects in which the person is a member, in one of these roles if any is named; by a key
    no other than the key's."""
    if user.pk is None:
        return Project.objects.none()
    mine = Membership.objects.filter(user_id=user.pk)
    if roles:
        mine = mine.filter(role__in=roles)
    found = Project.objects.filter(pk__in=mine.values("project_id"))
    bound = calling.acting_in(user)
    return found if bound is None else found.filter(pk=bound.pk)
