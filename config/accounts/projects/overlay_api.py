"""The API of a project's overlay on the policy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.projects import administering
from config.core.api.problem_schema import problems
from config.core.api.signed_in_view import SignedInView
from config.core.api.strict_serializers import StrictSerializer
from moderation.account_status import audiences
from moderation.models import PolicyOverlay
from moderation.policy import overlays

Role = administering.Role


class OverlaySerializer(serializers.ModelSerializer[PolicyOverlay]):
    document = serializers.DictField()

    class Meta:
        model = PolicyOverlay
        fields = (
            *("number", "version", "status", "document", "rationale"),
            *("proposed_at", "activated_at", "retired_at"),
        )
        read_only_fields = fields

    version = serializers.CharField(read_only=True)


class OverlayListSerializer(serializers.Serializer[Any]):
    results = OverlaySerializer(many=True)


class OverlayProposalSerializer(StrictSerializer):
    document = serializers.DictField(help_text="thresholds, hold, block, allow")
    rationale = serializers.CharField(max_length=overlays.WORDS_MAX)


class ProjectOverlays(SignedInView):
    """Its members: its overlays; its developers: propose one."""

    key_scope = {"GET": "read", "POST": "manage"}

    @extend_schema(
        operation_id="projects_overlays_list",
        summary="List a project's overlays on the policy",
        responses={200: OverlayListSerializer, **problems(_404="No such project of yours.")},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """The newest first."""
        project, _ = administering.find(project_id, by=self.user())
        rows = overlays.versions_of(project)
        return Response({"results": OverlaySerializer(rows, many=True).data})

    @extend_schema(
        operation_id="projects_overlays_create",
        summary="Propose an overlay",
        request=OverlayProposalSerializer,
        responses={
            201: OverlaySerializer,
            **problems(
                _403="Developers do that.",
                _404="No such project of yours.",
                _422="It is no overlay, or would loosen the policy.",
            ),
        },
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """An owner puts it in force, on the project's page or here."""
        project, _ = administering.find(project_id, by=self.user(), needs=Role.DEVELOPER)
        form = OverlayProposalSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = overlays.propose(
            project,
            form.validated_data["document"],
            rationale=form.validated_data["rationale"],
            profile=audiences.profile_for(project),
            by=self.user(),
            at=timezone.now(),
        )
        return Response(OverlaySerializer(made).data, status=201)


class OverlayInForce(SignedInView):
    """Its owners: put an overlay in force, or retire it."""

    key_scope = "manage"

    @extend_schema(
        operation_id="projects_overlays_activate",
        summary="Put an overlay in force",
        request=None,
        responses={
            200: OverlaySerializer,
            **problems(
                _403="Owners do that, and another than who proposed it.",
                _404="No such project or overlay.",
                _409="It was in force already.",
            ),
        },
    )
    def put(self, request: Request, project_id: UUID, overlay_number: int) -> Response:
        """What was in force is retired."""
        project, _ = administering.find(project_id, by=self.user(), needs=Role.OWNER)
        row = overlays.activate(project, overlay_number, by=self.user(), at=timezone.now())
        return Response(OverlaySerializer(row).data)

    @extend_schema(
        operation_id="projects_overlays_retire",
        summary="Retire the overlay in force",
        responses={
            200: OverlaySerializer,
            **problems(
                _403="Owners do that.",
                _404="No such project or overlay.",
                _409="It is not in force.",
            ),
        },
    )
    def delete(self, request: Request, project_id: UUID, overlay_number: int) -> Response:
        """Then the house's policy holds as it is."""
        project, _ = administering.find(project_id, by=self.user(), needs=Role.OWNER)
        row = overlays.retire(project, overlay_number, at=timezone.now())
        return Response(OverlaySerializer(row).data)
