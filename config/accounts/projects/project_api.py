"""The API of projects: one's own, their settings, members, keys and end users.

Making keys needs a person: no key makes another.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.api_keys import key_issuing
from config.accounts.projects import administering, end_user_rights
from config.accounts.projects.project_serializers import (
    EndUserExportSerializer,
    EndUserFilterSerializer,
    EndUserPageSerializer,
    EndUserSerializer,
    KeyListSerializer,
    KeySerializer,
    MemberChangeSerializer,
    MemberListSerializer,
    MemberSerializer,
    NewProjectSerializer,
    OrganisationChangeSerializer,
    OrganisationSerializer,
    ProjectChangeSerializer,
    ProjectListSerializer,
    ProjectSerializer,
)
from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.signed_in_view import SignedInView

Role = administering.Role
ABSENT = "No such project of yours."


class LastSeen(Pages):
    """Of end users: last seen first."""

    ordering = ("-last_seen_at", "id")


class ProjectList(SignedInView):
    """Its members: list projects; anybody makes one."""

    key_scope = {"GET": "read", "POST": "manage"}

    @extend_schema(
        operation_id="projects_list",
        summary="List your projects",
        responses={200: ProjectListSerializer},
    )
    def get(self, request: Request) -> Response:
        """By a key, the key's project alone."""
        rows = administering.projects_of(self.user())
        return Response({"results": ProjectSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="projects_create",
        summary="Make a project",
        request=NewProjectSerializer,
        responses={201: ProjectSerializer, **problems(_409="You own as many as you may.")},
    )
    def post(self, request: Request) -> Response:
        """You own it; its members' accounts are counted until it is granted limits of its own."""
        form = NewProjectSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = administering.make(by=self.user(), at=timezone.now(), **form.validated_data)
        return Response(ProjectSerializer(made).data, status=201)


class ProjectDetail(SignedInView):
    """Its members: one project; its owners: set it."""

    key_scope = {"GET": "read", "PATCH": "manage"}

    @extend_schema(
        operation_id="projects_retrieve",
        summary="Show a project",
        responses={200: ProjectSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Its settings and limits."""
        project, _ = administering.find(project_id, by=self.user())
        return Response(ProjectSerializer(project).data)

    @extend_schema(
        operation_id="projects_partial_update",
        summary="Set a project",
        request=ProjectChangeSerializer,
        responses={
            200: ProjectSerializer,
            **problems(_403="Owners do; limits are granted by operators.", _404=ABSENT),
        },
    )
    def patch(self, request: Request, project_id: UUID) -> Response:
        """What is not sent stays as it is."""
        form = ProjectChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        project = administering.change(project_id, form.validated_data, by=self.user())
        return Response(ProjectSerializer(project).data)


class ProjectOrganisation(SignedInView):
    """Its owners: read and set who answers for the project."""

    key_scope = {"GET": "read", "PATCH": "manage"}

    @extend_schema(
        operation_id="projects_organisation_retrieve",
        summary="Show who answers for a project",
        responses={200: OrganisationSerializer, **problems(_403="Owners see it.", _404=ABSENT)},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """For its owners."""
        project, _ = administering.find(project_id, by=self.user(), needs=Role.OWNER)
        if project.organisation is None:
            raise administering.OrganisationAbsent
        return Response(OrganisationSerializer(project.organisation).data)

    @extend_schema(
        operation_id="projects_organisation_partial_update",
        summary="Set who answers for a project",
        request=OrganisationChangeSerializer,
        responses={
            200: OrganisationSerializer,
            **problems(_403="Owners do that.", _404=ABSENT, _409="Others own projects of it."),
        },
    )
    def patch(self, request: Request, project_id: UUID) -> Response:
        """The contact stands on notices that its projects issue themselves without an address."""
        form = OrganisationChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        contact = form.validated_data["contact"]
        project = administering.set_contact(project_id, contact, by=self.user())
        return Response(OrganisationSerializer(project.organisation).data)


class ProjectMembers(SignedInView):
    """Its members: who belongs to it; its owners: change that."""

    key_scope = {"GET": "read", "PUT": "manage"}

    @extend_schema(
        operation_id="projects_members_list",
        summary="List the members of a project",
        responses={200: MemberListSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Owners first."""
        project, _ = administering.find(project_id, by=self.user())
        rows = administering.members_of(project)
        return Response({"results": MemberSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="projects_members_set",
        summary="Take a member in, give another role, or let them go",
        request=MemberChangeSerializer,
        responses={
            200: MemberListSerializer,
            **problems(
                _403="Owners do that.",
                _404=ABSENT,
                _409="A personal project, or its last owner.",
                _422="No account of that name.",
            ),
        },
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        """Whoever goes, their keys of it go too."""
        form = MemberChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said, now = form.validated_data, timezone.now()
        administering.set_member(project_id, said["username"], said["role"], by=self.user(), at=now)
        return self.get(request, project_id)


class ProjectKeys(SignedInView):
    """Its members: its keys, without what they are."""

    key_scope = "read"

    @extend_schema(
        operation_id="projects_keys_list",
        summary="List the keys of a project",
        responses={200: KeyListSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Those that are not revoked, the newest first."""
        project, _ = administering.find(project_id, by=self.user())
        rows = key_issuing.keys_in(project)
        return Response({"results": KeySerializer(rows, many=True).data})


class EndUsers(SignedInView):
    """Its members: whom a project serves."""

    key_scope = "read"

    @extend_schema(
        operation_id="projects_end_users_list",
        summary="List whom a project serves, or find one",
        parameters=[EndUserFilterSerializer, PageSerializer],
        responses={200: EndUserPageSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Last seen first."""
        project, _ = administering.find(project_id, by=self.user())
        rows = end_user_rights.found(
            project,
            claimed=self.asked.get("end_user", ""),
            standing=self.asked.get("standing", ""),
        )
        return LastSeen().answer(rows, EndUserSerializer, self)


class EndUserDetail(SignedInView):
    """Its developers: a copy of all that is kept about somebody, and erasure."""

    key_scope = "manage"

    @extend_schema(
        operation_id="projects_end_users_export",
        summary="All that is kept about an end user",
        responses={
            200: EndUserExportSerializer,
            **problems(_403="Developers do that.", _404="No such project or end user."),
        },
    )
    def get(self, request: Request, project_id: UUID, end_user_id: UUID) -> Response:
        """For whoever asks your product for a copy of their data."""
        project, _ = administering.find(project_id, by=self.user(), needs=Role.DEVELOPER)
        row = end_user_rights.find(end_user_id, project=project)
        return Response(end_user_rights.export(row))

    @extend_schema(
        operation_id="projects_end_users_erase",
        summary="Erase an end user",
        responses={
            204: None,
            **problems(
                _403="Developers do that.",
                _404="No such project or end user.",
                _409="Something of theirs is on its way or waits for a person.",
            ),
        },
    )
    def delete(self, request: Request, project_id: UUID, end_user_id: UUID) -> Response:
        """Pictures, texts and who it was; what was decided stays, of nobody."""
        now = timezone.now()
        end_user_rights.erase(end_user_id, project_id=project_id, by=self.user(), at=now)
        return Response(status=204)
