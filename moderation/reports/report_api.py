"""The API of reports: report a public picture, read the receipt, appeal. Open to anybody."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.strict_serializers import StrictSerializer
from config.core.api.view import ApiView
from moderation.appeals import hearing
from moderation.models import Appeal
from moderation.models.appeals import GROUNDS_MAX
from moderation.reports import report_limits, report_status, reporting
from moderation.reports.reporting import SentReport
from provenance.verify import sightings


@extend_schema_serializer(component_name="Notice")  # as clients have known it
class ReportSerializer(StrictSerializer):
    """A report of a released picture (DSA Art. 16) by somebody who has it. Name and e-mail address
    are optional, and not kept for callers with an account, who are told under theirs.
    """

    sighting = serializers.CharField(
        max_length=sightings.CHARACTERS_MAX,
        default="",
        allow_blank=True,
        help_text="What verifying the file answered under that name, within a day.",
    )
    category = serializers.CharField(
        max_length=32, help_text="A category of the policy, `unlawful` or `other`."
    )
    explanation = serializers.CharField(max_length=reporting.WORDS_MAX)
    good_faith = serializers.BooleanField(
        help_text="That the report is believed in good faith to be accurate and complete."
    )
    name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)


class ReceiptSerializer(serializers.Serializer[report_status.Receipt]):
    """What became of a report. Whoever knows `receipt` may read it."""

    receipt = serializers.UUIDField(source="key")
    image = serializers.UUIDField(source="image_id")
    state = serializers.ChoiceField(choices=["waiting", "withheld", "restricted", "stays"])
    received_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="By when a person is to look at it.")
    ground = serializers.CharField(allow_blank=True)
    is_unfounded = serializers.BooleanField()
    decided_at = serializers.DateTimeField(allow_null=True)
    appeal_until = serializers.DateTimeField(source="deadline", allow_null=True)
    appeal_status = serializers.ChoiceField(
        source="appeal.status", choices=Appeal.Status.choices, default=None, allow_null=True
    )


class ContestSerializer(StrictSerializer):
    """Why the reported picture should not stay."""

    grounds = serializers.CharField(max_length=GROUNDS_MAX)


class ForAnybody(ApiView):
    """An address that needs no account."""

    permission_classes = (AllowAny,)


class ReportList(ForAnybody):
    """Anybody who has a picture: reporting it."""

    key_scope = "generate"

    @extend_schema(
        operation_id="notices_create",
        summary="Report a picture",
        request=ReportSerializer,
        responses={
            201: ReceiptSerializer,
            **problems(
                _403="Repeated manifestly unfounded reports: none are taken for now.",
                _404="No such public picture.",
                _409="Reported before.",
                _422="Nothing shows that you have the picture, the ground is unknown, or good "
                "faith is not confirmed.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Report a released picture. Verify its file first (`POST /api/v1/verify/`) and send the
        `sighting` that comes back. A person decides; keep `receipt` to learn the outcome.
        """
        form = ReportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        report_limits.throttle(request)
        said = form.validated_data
        sent = SentReport(
            sighting=said["sighting"],
            category=said["category"],
            explanation=said["explanation"],
            is_in_good_faith=said["good_faith"],
            name=said.get("name", ""),
            email=said.get("email", ""),
        )
        sender = report_limits.sender_of(request)
        report = reporting.submit(sent, sender=sender, at=timezone.now())
        return Response(ReceiptSerializer(report_status.receipt(report)).data, status=201)


class ReportDetail(ForAnybody):
    """Whoever holds the receipt: what became of the report."""

    key_scope = "read"

    @extend_schema(
        operation_id="notices_retrieve",
        summary="Show what became of a report",
        responses={200: ReceiptSerializer, **problems(_404="No such receipt.")},
    )
    def get(self, request: Request, receipt_key: UUID) -> Response:
        """What became of a report."""
        found = reporting.find(receipt_key)
        return Response(ReceiptSerializer(report_status.receipt(found)).data)


class ReportAppeal(ForAnybody):
    """Whoever holds the receipt: contesting that the picture stays."""

    key_scope = "generate"

    @extend_schema(
        operation_id="notices_appeal",
        summary="Appeal against what became of a report",
        request=ContestSerializer,
        responses={
            201: ReceiptSerializer,
            **problems(
                _404="No such receipt.",
                _409="Not decided, withheld already, appealed already, or too late.",
            ),
        },
    )
    def post(self, request: Request, receipt_key: UUID) -> Response:
        """Appeal against the decision that a reported picture stays."""
        form = ContestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        report = reporting.find(receipt_key)
        grounds = form.validated_data["grounds"]
        hearing.lodge_for_report(report, grounds=grounds, at=timezone.now())
        found = report_status.receipt(reporting.find(receipt_key))
        return Response(ReceiptSerializer(found).data, status=201)
