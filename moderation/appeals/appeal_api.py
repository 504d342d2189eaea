"""The API of appeals beyond lodging: withdraw one's own, and for senior moderators hear others'."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.strict_serializers import StrictSerializer
from config.core.api.view import ApiView
from moderation.appeals import hearing
from moderation.appeals.hearing import GROUNDS_MAX
from moderation.cases import detail_access
from moderation.desk.case_serializers import AppealSerializer
from moderation.desk.queue_api import person
from moderation.models import Appeal, Decision, SubjectKind

ABSENT = "No such appeal that you may see."


class ContestedSerializer(serializers.ModelSerializer[Decision]):
    """The decision that is contested; who made it is not named."""

    stage = serializers.ChoiceField(source="subject_kind", choices=SubjectKind.choices)

    class Meta:
        model = Decision
        fields = (
            "id", "stage", "subject_id", "action", "days", "reason", "explanation",
            "policy_version", "is_automated", "decided_at",
        )  # fmt: skip
        read_only_fields = fields


class HearingSerializer(serializers.ModelSerializer[Appeal]):
    """An appeal as whoever may hear it sees it, with the evidence of the decision."""

    is_by_notifier = serializers.SerializerMethodField(help_text="Of a report, not the owner.")
    decision = ContestedSerializer(read_only=True)
    evidence = serializers.SerializerMethodField()

    class Meta:
        model = Appeal
        fields = (
            "id", "status", "grounds", "is_by_notifier", "lodged_at", "due_at", "decision",
            "evidence",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_by_notifier(self, appeal: Appeal) -> bool:
        return appeal.notice_id is not None

    def get_evidence(self, appeal: Appeal) -> dict[str, Any]:
        return detail_access.of_appeal(appeal).shown.evidence


class HearingPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = HearingSerializer(many=True)


class HearSerializer(StrictSerializer):
    """How an appeal ends; its appellant reads `reasons`."""

    outcome = serializers.ChoiceField(choices=["upheld", "reversed"])
    reasons = serializers.CharField(max_length=GROUNDS_MAX)
    category = serializers.CharField(
        max_length=32,
        required=False,
        help_text="Where what was reported stays and you reverse that: the rule that it breaks.",
    )


class SoonestDue(Pages):
    ordering = ("due_at", "id")


class Withdraw(ApiView):
    key_scope = "generate"

    @extend_schema(
        operation_id="appeals_withdraw",
        summary="Withdraw your appeal",
        request=None,
        responses={
            200: AppealSerializer,
            **problems(_404="Not yours, or not there.", _409="It ended already."),
        },
    )
    def post(self, request: Request, appeal_id: UUID) -> Response:
        """Take your appeal back for good, before anybody heard it. The decision stands."""
        by = person(request)
        found = hearing.of_owner(by=by).filter(id=appeal_id).first()
        if found is None:
            raise hearing.AppealNotFound
        return Response(AppealSerializer(hearing.withdraw(found, by=by, at=timezone.now())).data)


class ToHear(ApiView):
    key_scope = "review"

    @extend_schema(
        operation_id="review_appeals_list",
        summary="List the appeals that you may hear",
        parameters=[PageSerializer],
        responses={200: HearingPageSerializer, **problems(_403="Not a senior moderator.")},
    )
    def get(self, request: Request) -> Response:
        """Appeals that wait and that you have no part in, the soonest due first."""
        by, pages = person(request), SoonestDue()
        if not by.has_perm("moderation.hear_appeals"):
            raise hearing.NotASenior
        page = pages.paginate_queryset(hearing.waiting_for(by), request, view=self)
        return pages.get_paginated_response(HearingSerializer(page, many=True).data)


class Hear(ApiView):
    key_scope = "review"

    @extend_schema(
        operation_id="review_appeals_hear",
        summary="Hear an appeal",
        request=HearSerializer,
        responses={
            200: HearingSerializer,
            **problems(
                _403="You decided it, own it or appeal, or you are no senior moderator.",
                _404=ABSENT,
                _409="It ended already.",
                _422="The category is not one of the policy.",
            ),
        },
    )
    def post(self, request: Request, appeal_id: UUID) -> Response:
        """Conclude an appeal with reasons. A reversal has effect at once."""
        by = person(request)
        found = hearing.find_to_hear(appeal_id, by=by)
        form = HearSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        heard = hearing.hear(found, by=by, at=timezone.now(), **form.validated_data)
        return Response(HearingSerializer(heard).data)
