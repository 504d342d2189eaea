"""The API of the threshold lab: replay stored scores against another threshold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.strict_serializers import StrictSerializer
from config.core.projects.project_filter import KnownProjectField
from moderation.audits.audit_reports.audit_serializers import STAGES
from moderation.audits.audit_reports.auditors import AuditView
from moderation.audits.suites.person_terms import DIMENSIONS


class AuditReplaySerializer(StrictSerializer):
    """A threshold to replay over the latest days."""

    stage = serializers.ChoiceField(choices=STAGES)
    category = serializers.CharField(max_length=32)
    threshold = serializers.FloatField(min_value=0.01, max_value=1)
    dimension = serializers.ChoiceField(choices=DIMENSIONS, default="gender")
    days = serializers.IntegerField(min_value=1, max_value=730, default=30)
    profile = serializers.CharField(max_length=32, default="general")
    project = KnownProjectField(required=False, help_text="Of this project alone.")


class AuditReplayedGroupSerializer(serializers.Serializer[Any]):
    """One group; each rate is [estimate, from, to] at 95 %, of nulls below the minimum cell."""

    group = serializers.CharField()
    labels = serializers.IntegerField()
    fpr_before = serializers.ListField(child=serializers.FloatField(allow_null=True))
    fpr_after = serializers.ListField(child=serializers.FloatField(allow_null=True))
    fnr_before = serializers.ListField(child=serializers.FloatField(allow_null=True))
    fnr_after = serializers.ListField(child=serializers.FloatField(allow_null=True))


class AuditReplayedSerializer(serializers.Serializer[Any]):
    """What the threshold would have done. Mistakes and misses are estimated from labels."""

    category = serializers.CharField()
    threshold_before = serializers.FloatField()
    threshold_after = serializers.FloatField()
    screenings = serializers.IntegerField()
    newly_flagged = serializers.IntegerField()
    newly_passed = serializers.IntegerField()
    mistakes_gained = serializers.FloatField(allow_null=True)
    mistakes_lost = serializers.FloatField(allow_null=True)
    misses_gained = serializers.FloatField(allow_null=True)
    misses_lost = serializers.FloatField(allow_null=True)
    moderator_hours = serializers.FloatField(allow_null=True)
    groups = AuditReplayedGroupSerializer(many=True)


class Replay(AuditView):
    """Auditors: what another threshold would have done."""

    key_scope = "export"

    @extend_schema(
        operation_id="audits_replay",
        summary="Replay stored scores against another threshold",
        request=AuditReplaySerializer,
        responses={
            200: AuditReplayedSerializer,
            **problems(_403="Neither compliance nor a senior moderator.", _422="No such category."),
        },
    )
    def post(self, request: Request) -> Response:
        """Nothing is screened again, and nothing changes."""
        from moderation.audits.lab import threshold_lab  # the statistics take seconds to load
        from moderation.audits.sampling.population import Window  # loads them too

        self.auditor()
        form = AuditReplaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        where = {"category": said["category"], "stage": said["stage"]}
        before = threshold_lab.threshold_of(said["profile"], **where)
        today = timezone.now().date()
        found = threshold_lab.replayed(
            Window(
                said["stage"], today - timedelta(days=said["days"] - 1), today, said.get("project")
            ),
            category=said["category"],
            dimension=said["dimension"],
            before=before,
            after=said["threshold"],
            profile=said["profile"],
        )
        return Response(AuditReplayedSerializer(found.analysis()).data)
