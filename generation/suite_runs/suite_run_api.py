"""The API of suite runs: which suites there are, start, progress, stop, carry on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.signed_in_view import SignedInView
from config.core.api.strict_serializers import StrictSerializer
from generation.suite_runs import stints
from moderation.audits.audit_reports import auditors
from moderation.audits.suites import counterfactuals

NOT_FOR_YOU = "Neither compliance nor a senior moderator."
NOT_COMPLIANCE = "Not compliance."


class AuditSuiteSerializer(serializers.Serializer[Any]):
    """A suite that ships: templates times person terms."""

    name = serializers.CharField()
    title = serializers.CharField()
    purpose = serializers.CharField()
    stages = serializers.ListField(child=serializers.CharField())
    prompts = serializers.IntegerField()


class AuditRunAskSerializer(StrictSerializer):
    """A run to start. Without a model the default one renders."""

    suite = serializers.CharField(max_length=64)
    seeds = serializers.IntegerField(min_value=1, max_value=100, default=1)
    model = serializers.CharField(max_length=64, required=False, allow_blank=True)


class AuditRunSerializer(serializers.Serializer[Any]):
    """A run and how far it is; `audit` is its report once it is finished."""

    id = serializers.UUIDField(source="run.id")
    suite = serializers.CharField(source="run.suite")
    model = serializers.CharField(source="run.model_slug")
    seeds = serializers.IntegerField(source="run.seeds")
    policy_version = serializers.CharField(source="run.policy_version")
    status = serializers.ChoiceField(
        source="run.status", choices=["running", "stopped", "finished"]
    )
    stop_code = serializers.CharField(source="run.stop_code", help_text="Why it stopped.")
    stop_message = serializers.CharField(source="run.stop_message")
    done = serializers.IntegerField(help_text="Rendered and screened.")
    total = serializers.IntegerField()
    seconds_left = serializers.FloatField(allow_null=True)
    audit = serializers.UUIDField(source="audit.id", allow_null=True, default=None)
    started_at = serializers.DateTimeField(source="run.started_at")
    finished_at = serializers.DateTimeField(source="run.finished_at", allow_null=True)


class Suites(SignedInView):
    """Auditors: the suites that can be run."""

    key_scope = "export"

    @extend_schema(
        operation_id="audit_suites_list",
        summary="The suites that can be run",
        responses={200: AuditSuiteSerializer(many=True), **problems(_403=NOT_FOR_YOU)},
    )
    def get(self, request: Request) -> Response:
        """For compliance and senior moderators."""
        auditors.check_auditor(self.user())
        offered = [counterfactuals.load(name) for name in counterfactuals.names()]
        return Response(
            [
                {
                    "name": suite.name,
                    "title": suite.title,
                    "purpose": suite.purpose,
                    "stages": suite.stages,
                    "prompts": sum(1 for _ in suite.cells()),
                }
                for suite in offered
            ]
        )


class Runs(SignedInView):
    """Auditors: the latest runs; compliance staff: starts one."""

    key_scope = "export"

    @extend_schema(
        operation_id="audit_runs_list",
        summary="The latest runs, newest first",
        responses={200: AuditRunSerializer(many=True), **problems(_403=NOT_FOR_YOU)},
    )
    def get(self, request: Request) -> Response:
        """For compliance and senior moderators."""
        found = stints.latest(by=self.user())
        return Response(AuditRunSerializer(found, many=True).data)

    @extend_schema(
        operation_id="audit_runs_create",
        summary="Start a run, or carry on the unfinished one of the same suite, model and seeds",
        request=AuditRunAskSerializer,
        responses={
            202: AuditRunSerializer,
            **problems(
                _403=NOT_COMPLIANCE,
                _404="No such model.",
                _422="No such suite.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Workers make it a few pictures at a time, behind everybody's requests."""
        form = AuditRunAskSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        run = stints.ask(
            said["suite"],
            model=said.get("model", ""),
            seeds=said["seeds"],
            by=self.user(),
            at=timezone.now(),
        )
        return Response(AuditRunSerializer(stints.standing(run)).data, status=202)


class RunDetail(SignedInView):
    """Auditors: how far a run is."""

    key_scope = "export"

    @extend_schema(
        operation_id="audit_runs_retrieve",
        summary="How far a run is",
        responses={200: AuditRunSerializer, **problems(_403=NOT_FOR_YOU, _404="No such run.")},
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        """How many pictures are made and screened, and the seconds that are left."""
        return Response(AuditRunSerializer(stints.find(run_id, by=self.user())).data)


class CancelRun(SignedInView):
    """Compliance staff: stops a run."""

    key_scope = "export"

    @extend_schema(
        operation_id="audit_runs_cancel",
        summary="Stop a run; what was made is kept",
        request=None,
        responses={
            200: AuditRunSerializer,
            **problems(_403=NOT_COMPLIANCE, _404="No such run.", _409="It is finished."),
        },
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        """After the batch that is being made."""
        run = stints.cancel(run_id, by=self.user())
        return Response(AuditRunSerializer(stints.standing(run)).data)


class ResumeRun(SignedInView):
    """Compliance staff: carries a stopped run on."""

    key_scope = "export"

    @extend_schema(
        operation_id="audit_runs_resume",
        summary="Carry a stopped run on",
        request=None,
        responses={
            202: AuditRunSerializer,
            **problems(_403=NOT_COMPLIANCE, _404="No such run.", _409="It is finished."),
        },
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        """What was made is kept, and it goes on from there."""
        run = stints.resume(run_id, by=self.user(), at=timezone.now())
        return Response(AuditRunSerializer(stints.standing(run)).data, status=202)
