"""Whose a row is: tables of people's own things say it once, in their manager.

A model writes `objects = OwnedRows.as_manager()`, or a subclass's where more than the owner may
look at a row. Views and domain functions then begin at `Model.objects.visible_to(user)`, so that
somebody else's row is not found rather than refused.
"""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

Person = AbstractBaseUser | AnonymousUser
Row = TypeVar("Row", bound=models.Model, covariant=True)


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
