"""The API of audits: read reports, make one of a period, record a decision."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.core import events
from config.core.api.file_renderer import FileRenderer
from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.projects.project_filter import AnyProjectSerializer
from moderation.audits.audit_reports import freeze, report_decisions
from moderation.audits.audit_reports.audit_serializers import (
    AuditAskedSerializer,
    AuditAskSerializer,
    AuditDecisionSerializer,
    AuditPageSerializer,
    AuditRecordSerializer,
    AuditReportSerializer,
    AuditSerializer,
)
from moderation.audits.audit_reports.audit_views import TYPES, file_of, files_of
from moderation.audits.audit_reports.auditors import AuditView, check_compliance
from moderation.audits.models import Audit

NOT_FOR_YOU = "Neither compliance nor a senior moderator."
NOT_COMPLIANCE = "Not compliance."


class NewestAudit(Pages):
    """The order of audits: the newest first."""

    ordering = ("-made_at", "id")


class Audits(AuditView):
    """Auditors: the list of reports; compliance staff: asking for one."""

    key_scope = "export"

    @extend_schema(
        operation_id="audits_list",
        summary="List the audits, newest first",
        parameters=[AnyProjectSerializer, PageSerializer],
        responses={200: AuditPageSerializer, **problems(_403=NOT_FOR_YOU)},
    )
    def get(self, request: Request) -> Response:
        """For compliance and for senior moderators, as the pages are."""
        self.auditor()
        rows = Audit.objects.defer("document").prefetch_related("decisions")
        if project := self.asked.get("project"):
            rows = rows.filter(project=project)
        return NewestAudit().answer(rows, AuditSerializer, self)

    @extend_schema(
        operation_id="audits_create",
        summary="Make the report of a period of real traffic",
        request=AuditAskSerializer,
        responses={
            202: AuditAskedSerializer,
            **problems(_403=NOT_COMPLIANCE),
        },
    )
    def post(self, request: Request) -> Response:
        """A worker makes it; it then stands first in the list."""
        by = self.auditor()
        check_compliance(by)
        form = AuditAskSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.data
        period = said["stage"], said["first"], said["last"]
        of = str(said.get("project") or "")
        events.send_now("moderation.audits.tasks.audit_traffic", *period, by.pk, of)
        return Response(AuditAskedSerializer(said).data, status=202)


class AuditDetail(AuditView):
    """Auditors: one report with its digests and decisions."""

    key_scope = "export"

    @extend_schema(
        operation_id="audits_retrieve",
        summary="Read one audit: its digests, its report, what was decided on it",
        responses={200: AuditReportSerializer, **problems(_403=NOT_FOR_YOU, _404="No such audit.")},
    )
    def get(self, request: Request, audit_id: UUID) -> Response:
        """For compliance and for senior moderators, as the pages are."""
        self.auditor()
        return Response(AuditReportSerializer(freeze.find(audit_id)).data)


class AuditFileView(AuditView):
    """Auditors: one file of a report."""

    key_scope = "export"
    renderer_classes = [JSONRenderer, FileRenderer]

    @extend_schema(
        operation_id="audits_file",
        summary="Download one file of an audit, as it was frozen",
        responses={
            **{(200, kind): OpenApiTypes.BINARY for kind in dict.fromkeys(TYPES.values())},
            **problems(
                _403=NOT_FOR_YOU,
                _404="No such audit, or no such file of it.",
                _409="It is not as it was logged.",
            ),
        },
    )
    def get(self, request: Request, audit_id: UUID, name: str) -> HttpResponse:
        """`report.json`, `report.csv`, `report.pdf`, a figure, what it can be computed again from,
        or the decisions' own files.
        """
        self.auditor()
        audit = freeze.find(audit_id)
        return file_of(audit, name, files_of(audit))


class Decisions(AuditView):
    """Compliance staff: recording what was decided on a report."""

    key_scope = "export"

    @extend_schema(
        operation_id="audits_decide",
        summary="Record what was decided on an audit",
        request=AuditRecordSerializer,
        responses={
            201: AuditDecisionSerializer,
            **problems(_403=NOT_COMPLIANCE, _404="No such audit."),
        },
    )
    def post(self, request: Request, audit_id: UUID) -> Response:
        """A row that is never changed, logged by its digest; the report stays as it was frozen."""
        by = self.auditor()
        form = AuditRecordSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = report_decisions.record(
            freeze.find(audit_id), by=by, at=timezone.now(), **form.validated_data
        )
        return Response(AuditDecisionSerializer(made).data, status=201)
