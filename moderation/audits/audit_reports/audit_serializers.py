"""What the API says about audits, and what it takes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from rest_framework import serializers

from config.core.api.links import PathField
from config.core.api.strict_serializers import StrictSerializer
from config.core.projects.project_filter import KnownProjectField
from moderation.audits.audit_reports.report_decisions import RESPONSIBLE_MAX, WORDS_MAX
from moderation.audits.models import Audit, AuditDecision

FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2100, 1, 1)
STAGES = (("image", "Images"), ("prompt", "Prompts"))


class AuditDecisionSerializer(serializers.ModelSerializer[AuditDecision]):
    """What was decided on a report; `sha256` stands in the transparency log."""

    class Meta:
        model = AuditDecision
        fields = ("responsible", "decision", "report_sha256", "sha256", "recorded_at")
        read_only_fields = fields


class AuditSerializer(serializers.ModelSerializer[Audit]):
    """A frozen report by its title and the digests of its files."""

    url = PathField(source="get_absolute_url", read_only=True)
    digests = serializers.DictField(child=serializers.CharField(), help_text="SHA-256 by file.")
    decisions = AuditDecisionSerializer(many=True, read_only=True)

    class Meta:
        model = Audit
        fields = (
            "id", "kind", "title", "project", "is_scheduled", "has_alarm", "made_at", "digests",
            "decisions", "url",
        )  # fmt: skip
        read_only_fields = fields


class AuditPageSerializer(serializers.Serializer[Any]):
    """A page of audits."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = AuditSerializer(many=True)


class AuditReportSerializer(AuditSerializer):
    """An audit with its report, as `report.json` has it."""

    report = serializers.SerializerMethodField()

    class Meta(AuditSerializer.Meta):
        fields = (*AuditSerializer.Meta.fields, "report")  # type: ignore[assignment] # one more

    def get_report(self, audit: Audit) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(audit.document)
        return found


class AuditAskSerializer(StrictSerializer):
    """A period of real traffic to audit, both days included, in UTC."""

    stage = serializers.ChoiceField(choices=STAGES)
    first = serializers.DateField()
    last = serializers.DateField()
    project = KnownProjectField(required=False, help_text="Of this project alone.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["first"] > attrs["last"]:
            raise serializers.ValidationError({"last": "The last day lies before the first."})
        if attrs["first"] < FIRST_DAY:
            raise serializers.ValidationError({"first": "Nothing was screened before 2020."})
        if attrs["last"] > LAST_DAY:
            raise serializers.ValidationError({"last": "The last day lies too far in the future."})
        return attrs


class AuditAskedSerializer(serializers.Serializer[Any]):
    """What a worker will make a report of."""

    stage = serializers.CharField()
    first = serializers.DateField()
    last = serializers.DateField()
    project = serializers.UUIDField(required=False)


class AuditRecordSerializer(StrictSerializer):
    """A decision to record on a report."""

    responsible = serializers.CharField(max_length=RESPONSIBLE_MAX)
    decision = serializers.CharField(max_length=WORDS_MAX)
