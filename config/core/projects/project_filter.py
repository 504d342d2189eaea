"""By what every list, export, report and metric is narrowed to a project."""

from __future__ import annotations

from uuid import UUID

from django import forms
from rest_framework import serializers

from config.core.api.strict_serializers import StrictSerializer
from config.core.projects.models import Project

UNKNOWN = "There is no project of that id."


class OfProjectSerializer(StrictSerializer):
    """For a project's members, on lists of what is their projects'."""

    project = serializers.UUIDField(
        required=False,
        help_text="A project of yours; without it, the key's, or your own one in a browser.",
    )


class AnyProjectSerializer(StrictSerializer):
    """For the house's people, on lists of what is everybody's."""

    project = serializers.UUIDField(
        required=False, help_text="Of this project alone; without it, of all."
    )


def known(project_id: UUID | None) -> UUID | None:
    """The id of a project that there is, or none. Raises ValueError."""
    if project_id is not None and not Project.objects.filter(pk=project_id).exists():
        raise ValueError(UNKNOWN)
    return project_id


class ProjectField(forms.UUIDField):
    """A project by its id, in a form of the house's people; empty: all of them."""

    def __init__(self, *, help_text: str = "") -> None:
        super().__init__(
            required=False, label="Project", help_text=help_text or "Its id. Empty: all of them."
        )

    def clean(self, value: str | None) -> UUID | None:
        try:
            return known(super().clean(value))
        except ValueError as error:
            raise forms.ValidationError(UNKNOWN) from error


class KnownProjectField(serializers.UUIDField):
    """The same in a body of the API."""

    def to_internal_value(self, data: UUID | str | int) -> UUID:
        found = UUID(str(super().to_internal_value(data)))
        try:
            known(found)
        except ValueError as error:
            raise serializers.ValidationError([UNKNOWN]) from error
        return found
