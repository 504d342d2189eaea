"""The API of notices of those whom a project serves: read one, and appeal in their place."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.strict_serializers import StrictSerializer
from config.core.api.view import ApiView, person
from moderation.models import Appeal
from moderation.models.appeals import GROUNDS_MAX
from moderation.public_notices import addresses, for_projects
from moderation.public_notices.notices import PublicNotice
from moderation.statements import issuing
from moderation.statements.issuing import StatementView


class PublicAppealSerializer(serializers.Serializer[Appeal]):
    """How far an appeal is. What was said in it is between its appellant and whoever hears it."""

    status = serializers.ChoiceField(choices=Appeal.Status.choices)
    lodged_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="By when it is to be heard.")
    heard_at = serializers.DateTimeField(allow_null=True)
    reasons = serializers.CharField(allow_blank=True)


class ReasonsSerializer(serializers.Serializer[StatementView]):
    """A statement of reasons in sentences, each member of DSA Art. 17(3) but the redress."""

    restriction = serializers.CharField()
    duration = serializers.CharField(help_text="Where and how long it holds.")
    title = serializers.CharField()
    categories = serializers.ListField(child=serializers.CharField())
    facts = serializers.CharField()
    stage = serializers.CharField()
    means = serializers.CharField(help_text="How programs took part in finding and deciding.")
    rule = serializers.CharField()
    ground = serializers.CharField()
    explanation = serializers.CharField(allow_blank=True)
    policy_version = serializers.CharField()
    policy_url = serializers.SerializerMethodField()
    is_automated = serializers.BooleanField()
    decided_at = serializers.DateTimeField()
    appeal_until = serializers.DateTimeField(source="deadline")

    def get_policy_url(self, statement: StatementView) -> str:
        return issuing.policy_url(statement.policy_version)


class PublicNoticeSerializer(serializers.Serializer[PublicNotice]):
    """What the page at `statement_url` says, to be shown in a product's own pages."""

    statement_url = serializers.SerializerMethodField(help_text="Opens without an account.")
    appeal_url = serializers.SerializerMethodField(help_text="Opens without an account.")
    state = serializers.ChoiceField(choices=["in_force", "reversed"])
    heading = serializers.CharField()
    issuer = serializers.CharField(source="issuer.name")
    statement = ReasonsSerializer()
    redress = serializers.SerializerMethodField(help_text="What can be done beside an appeal.")
    may_appeal = serializers.BooleanField()
    appeal = serializers.SerializerMethodField()

    def get_statement_url(self, found: PublicNotice) -> str:
        return addresses.shown(found.address)

    def get_appeal_url(self, found: PublicNotice) -> str:
        return addresses.appeal_address(addresses.shown(found.address))

    def get_redress(self, found: PublicNotice) -> str:
        return issuing.REDRESS

    @extend_schema_field(PublicAppealSerializer(allow_null=True))
    def get_appeal(self, found: PublicNotice) -> Any:
        return PublicAppealSerializer(found.appeal).data if found.appeal else None


class EndUserAppealSerializer(StrictSerializer):
    """An appeal for somebody whom the project serves.

    `grounds` may be empty, for nobody need give any, but must be said: a decision has one appeal.
    """

    grounds = serializers.CharField(
        max_length=GROUNDS_MAX, allow_blank=True, help_text="In their own words, or empty."
    )
    email = serializers.EmailField(
        default="", allow_blank=True, help_text="Theirs, for receipt and outcome; then forgotten."
    )


class StatementNotice(ApiView):
    """Whoever acts for a project: a statement of it in sentences."""

    key_scope = "read"

    @extend_schema(
        operation_id="statements_notice",
        summary="Show a statement and its appeal as your own pages can show them",
        responses={200: PublicNoticeSerializer, **problems(_404="Not of your project.")},
    )
    def get(self, request: Request, statement_id: UUID) -> Response:
        """A statement of your project in sentences, with its appeal and the public addresses."""
        found = for_projects.notice_of(statement_id, by=person(request), at=timezone.now())
        return Response(PublicNoticeSerializer(found).data)


class StatementAppeal(ApiView):
    """Whoever acts for a project: appealing for one of its end users."""

    key_scope = "appeals.act"

    @extend_schema(
        operation_id="statements_appeal",
        summary="Appeal for an end user of your project",
        request=EndUserAppealSerializer,
        responses={
            201: PublicNoticeSerializer,
            **problems(
                _404="Not of your project.",
                _409="Of no end user, appealed already, reversed, or too late.",
            ),
        },
    )
    def post(self, request: Request, statement_id: UUID) -> Response:
        """Lodge the one appeal that a decision can have, in the place of whom it concerns. It is
        heard by somebody of the house who did not decide.
        """
        form = EndUserAppealSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        by, now = person(request), timezone.now()
        found = for_projects.lodge(statement_id, by=by, at=now, **form.validated_data)
        return Response(PublicNoticeSerializer(found).data, status=201)
