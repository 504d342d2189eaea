"""The API of the queue: what waits, take the most urgent, decide it."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.view import ApiView, person
from moderation.cases import review_cases, wellbeing
from moderation.cases.reviewers import reviewer
from moderation.decisions import pending_decisions
from moderation.desk.case_serializers import (
    CasePageSerializer,
    CaseSerializer,
    ClaimedCaseSerializer,
    DecideSerializer,
    PendingDecisionSerializer,
    QueueFilterSerializer,
)
from moderation.desk.desk_forms import QueueFilter


class SeverestCase(Pages):
    """The order of the queue: the severest first, then the soonest due."""

    ordering = ("-severity", "due_at", "id")


class CaseList(ApiView):
    """Reviewers: the queue."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_cases_list",
        summary="List the undecided cases",
        parameters=[PageSerializer, QueueFilterSerializer],
        responses={
            200: CasePageSerializer,
            **problems(_403="Not a reviewer.", _409="A break runs."),
        },
    )
    def get(self, request: Request) -> Response:
        """The queue: undecided cases that you may see, the severest and soonest due first."""
        by = reviewer(request)
        now = timezone.now()
        wellbeing.check_rested(by=by, at=now)
        wanted = QueueFilter(self.asked).narrowing()
        found = review_cases.narrowed(wanted, by=by, at=now)
        return SeverestCase().answer(found, CaseSerializer, self)


class ClaimNext(ApiView):
    """Reviewers: leasing the most urgent case."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_claim_next",
        summary="Take the most urgent case",
        request=None,
        responses={
            200: ClaimedCaseSerializer,
            204: OpenApiResponse(description="Nothing waits."),
            **problems(_403="Not a reviewer.", _409="A break is due, or runs."),
        },
    )
    def post(self, request: Request) -> Response:
        """Lease the most urgent case that nobody holds, for ten minutes."""
        case = review_cases.claim_next(by=reviewer(request), at=timezone.now())
        return Response(ClaimedCaseSerializer(case).data if case else None, 200 if case else 204)


class Decide(ApiView):
    """Whoever holds a case: deciding it."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_decide",
        summary="Decide a case that you hold",
        request=DecideSerializer,
        responses={
            202: PendingDecisionSerializer,
            **problems(
                _404="No such case that you may see.",
                _409="The lease ran out, or the case is decided.",
                _422="The reason does not belong to the action.",
            ),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Decide a case that you hold. `reason` is a policy category to restrict it, or
        `within_policy` or `context_excuses` to allow. The effect follows at `due_at`, for a severe
        decision and for a suspension not before a second person has confirmed it.
        """
        by = person(request)
        found = review_cases.find(case_id, by=by)
        form = DecideSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = pending_decisions.propose(found, by=by, at=timezone.now(), **form.said())
        return Response(PendingDecisionSerializer(made).data, status=202)
