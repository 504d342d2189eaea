"""The API of what a project takes out of its own."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.file_renderer import FileRenderer
from config.core.api.paging import Pages, PageSerializer, page_of
from config.core.api.problem_schema import problems
from config.core.api.strict_serializers import StrictSerializer
from config.core.api.view import ApiView, person
from config.core.pages import private_bytes
from moderation.exports import project_exports
from moderation.models import Export

ABSENT = "No such project of yours, or no such export of it."


class ProjectExportSerializer(serializers.ModelSerializer[Export]):
    """An export; `url` answers with the archive once `ready_at` is said."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    url = serializers.SerializerMethodField(help_text="Path.")

    class Meta:
        model = Export
        fields = (
            "id", "kind", "first", "last", "sha256", "size_bytes", "made_at", "ready_at", "url",
        )  # fmt: skip
        read_only_fields = fields

    def get_url(self, row: Export) -> str:
        return project_exports.address_of(row)


ProjectExportPageSerializer = page_of(ProjectExportSerializer)


class ProjectExportAskSerializer(StrictSerializer):
    """What to take out, for which days in UTC, both included."""

    kind = serializers.ChoiceField(choices=Export.Kind.choices)
    first = serializers.DateField()
    last = serializers.DateField()


class NewestExport(Pages):
    """The order of exports: the newest first."""

    ordering = ("-made_at", "-id")


class ProjectExports(ApiView):
    """A project's members: its exports; who acts in it: asking for one."""

    key_scope = {"GET": "read", "POST": "manage"}

    @extend_schema(
        operation_id="project_exports_list",
        summary="List a project's exports, newest first",
        parameters=[PageSerializer],
        responses={200: ProjectExportPageSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Those that are still being made among them."""
        found = project_exports.of_project(project_id, by=person(request))
        return NewestExport().answer(found, ProjectExportSerializer, self)

    @extend_schema(
        operation_id="project_exports_create",
        summary="Ask for an export of a project",
        request=ProjectExportAskSerializer,
        responses={
            202: ProjectExportSerializer,
            **problems(
                _404=ABSENT,
                _422="The period ends before it begins, or is too long.",
                _429="As many as a project may ask for in a day.",
            ),
        },
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """A worker makes it; the event `export.ready` tells when it can be fetched. It holds no
        personal data, and nothing of another project."""
        form = ProjectExportAskSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        made = project_exports.ask(
            project_id,
            said["kind"],
            said["first"],
            said["last"],
            by=person(request),
            at=timezone.now(),
        )
        return Response(ProjectExportSerializer(made).data, status=202)


class ProjectExportFile(ApiView):
    """A project's members: one archive."""

    key_scope = "read"
    renderer_classes = [JSONRenderer, FileRenderer]

    @extend_schema(
        operation_id="project_exports_file",
        summary="Download an export of a project",
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            **problems(_404=ABSENT, _409="It is still being made."),
        },
    )
    def get(self, request: Request, project_id: UUID, export_id: UUID) -> HttpResponse:
        """A ZIP file with its files and their digests; it is kept for thirty days."""
        return answer(*project_exports.file_of(project_id, export_id, by=person(request)))


def answer(row: Export, data: bytes) -> HttpResponse:
    """The archive as a download."""
    response = private_bytes(data, "application/zip")
    response["Content-Disposition"] = f'attachment; filename="{row.name}"'
    response["X-Content-SHA256"] = row.sha256
    return response
