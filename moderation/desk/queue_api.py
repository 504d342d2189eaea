"""The room's API: own statements and appeals, and for reviewers the queue."""

from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.view import ApiView
from moderation.appeals import hearing
from moderation.cases import review_cases, wellbeing
from moderation.cases.reviewers import NotAReviewer, is_reviewer
from moderation.decisions import pending_decisions
from moderation.desk.case_serializers import (
    AppealPageSerializer,
    AppealSerializer,
    CasePageSerializer,
    CaseSerializer,
    ClaimedCaseSerializer,
    DecideSerializer,
    IntentSerializer,
    LodgeSerializer,
    QueueFilterSerializer,
    StatementPageSerializer,
    StatementSerializer,
)
from moderation.desk.desk_forms import QueueFilter
from moderation.statements import issuing


def person(request: Request) -> User:
    assert isinstance(request.user, User)  # the permission class leaves nobody else through
    return request.user


def reviewer(request: Request) -> User:
    user = person(request)
    if not is_reviewer(user):
        raise NotAReviewer
    return user


class NewestStatement(Pages):
    ordering = ("-created_at", "id")


class NewestAppeal(Pages):
    ordering = ("-lodged_at", "id")


class SeverestCase(Pages):
    ordering = ("-severity", "due_at", "id")


class StatementList(ApiView):
    key_scope = "read"

    @extend_schema(
        operation_id="statements_list",
        summary="List your statements of reasons",
        parameters=[PageSerializer],
        responses={200: StatementPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """Your statements of reasons, newest first."""
        pages = NewestStatement()
        found = issuing.of_owner(by=person(request))
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(StatementSerializer(page, many=True).data)


class StatementDetail(ApiView):
    key_scope = "read"

    @extend_schema(
        operation_id="statements_retrieve",
        summary="Show one of your statements of reasons",
        responses={200: StatementSerializer, **problems(_404="Not yours, or not there.")},
    )
    def get(self, request: Request, statement_id: UUID) -> Response:
        """One of your statements. Somebody else's is 404."""
        found = issuing.find(statement_id, by=person(request))
        return Response(StatementSerializer(found).data)


class AppealList(ApiView):
    key_scope = {"GET": "read", "POST": "generate"}

    @extend_schema(
        operation_id="appeals_list",
        summary="List your appeals",
        parameters=[PageSerializer],
        responses={200: AppealPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """Your appeals, newest first."""
        pages = NewestAppeal()
        found = hearing.of_owner(by=person(request))
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(AppealSerializer(page, many=True).data)

    @extend_schema(
        operation_id="appeals_create",
        summary="Appeal against a decision",
        request=LodgeSerializer,
        responses={
            201: AppealSerializer,
            **problems(
                _404="No such statement of yours.",
                _409="Appealed already, reversed, or too late.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Lodge the appeal against one of your statements."""
        form = LodgeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        by = person(request)
        found = issuing.find(form.validated_data["statement"], by=by)
        appeal = hearing.lodge(
            found.decision, by=by, grounds=form.validated_data["grounds"], at=timezone.now()
        )
        return Response(AppealSerializer(appeal).data, status=201)


class AppealDetail(ApiView):
    key_scope = "read"

    @extend_schema(
        operation_id="appeals_retrieve",
        summary="Show one of your appeals",
        responses={200: AppealSerializer, **problems(_404="Not yours, or not there.")},
    )
    def get(self, request: Request, appeal_id: UUID) -> Response:
        """One of your appeals. Somebody else's is 404."""
        found = hearing.of_owner(by=person(request)).filter(id=appeal_id).first()
        if found is None:
            raise hearing.AppealNotFound
        return Response(AppealSerializer(found).data)


class CaseList(ApiView):
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
        by, pages = reviewer(request), SeverestCase()
        now = timezone.now()
        wellbeing.check_rested(by=by, at=now)
        wanted = QueueFilter(self.asked).narrowing()
        found = review_cases.narrowed(wanted, by=by, at=now)
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(CaseSerializer(page, many=True).data)


class ClaimNext(ApiView):
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
    key_scope = "review"

    @extend_schema(
        operation_id="review_decide",
        summary="Decide a case that you hold",
        request=DecideSerializer,
        responses={
            202: IntentSerializer,
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
        return Response(IntentSerializer(made).data, status=202)
