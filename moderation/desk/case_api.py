"""The API of one case: read it, hold it, hand it on, undo a decision, be the second person."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.view import ApiView, person
from moderation.cases import review_cases
from moderation.decisions import pending_decisions
from moderation.desk.case_serializers import (
    CaseSerializer,
    ClaimedCaseSerializer,
    TokenSerializer,
)

ABSENT = "No such case that you may see."
STALE = "You do not hold it any more."
DONE = OpenApiResponse(description="Done.")


def _token(request: Request) -> UUID:
    form = TokenSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    token: UUID = form.validated_data["token"]
    return token


class CaseDetail(ApiView):
    """Reviewers: one case."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_cases_retrieve",
        summary="Show a case",
        responses={200: CaseSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """A case that you may see, decided or not."""
        return Response(CaseSerializer(review_cases.find(case_id, by=person(request))).data)


class ClaimCase(ApiView):
    """Reviewers: leasing a case."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_claim",
        summary="Take a case",
        request=None,
        responses={
            200: ClaimedCaseSerializer,
            **problems(
                _403="It is about something of your own.",
                _404=ABSENT,
                _409="Somebody works on it, it is decided, or a break is due or runs.",
            ),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Lease a case for ten minutes; again, to prolong your own lease."""
        by = person(request)
        held = review_cases.claim(review_cases.find(case_id, by=by), by=by, at=timezone.now())
        return Response(ClaimedCaseSerializer(held).data)


class Renew(ApiView):
    """Whoever holds a case: prolonging the lease."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_renew",
        summary="Prolong your lease of a case",
        request=TokenSerializer,
        responses={
            200: ClaimedCaseSerializer,
            **problems(_404=ABSENT, _409=STALE),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Hold the case for ten more minutes."""
        by = person(request)
        found = review_cases.find(case_id, by=by)
        held = review_cases.renew(found, by=by, token=_token(request), at=timezone.now())
        return Response(ClaimedCaseSerializer(held).data)


class Release(ApiView):
    """Whoever holds a case: giving it back."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_release",
        summary="Give a case back",
        request=TokenSerializer,
        responses={204: DONE, **problems(_404=ABSENT, _409=STALE)},
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Give a case that you hold back to the queue."""
        by = person(request)
        review_cases.release(review_cases.find(case_id, by=by), by=by, token=_token(request))
        return Response(status=204)


class Escalate(ApiView):
    """Whoever holds a case: handing it to senior moderators."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_escalate",
        summary="Hand a case to senior moderators",
        request=TokenSerializer,
        responses={204: DONE, **problems(_404=ABSENT, _409=STALE)},
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Make a case that you hold severe; who does not hear appeals no longer sees it."""
        by = person(request)
        found = review_cases.find(case_id, by=by)
        review_cases.escalate(found, by=by, token=_token(request), at=timezone.now())
        return Response(status=204)


class Undo(ApiView):
    """Whoever decided: taking the decision back within its window."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_undo",
        summary="Undo your decision on a case",
        request=None,
        responses={
            200: ClaimedCaseSerializer,
            **problems(_404=ABSENT, _409="The undo window is over, or it was not your decision."),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Take your decision back before anything is sent; you hold the case again."""
        by = person(request)
        pending_decisions.undo(review_cases.find(case_id, by=by), by=by, at=timezone.now())
        return Response(ClaimedCaseSerializer(review_cases.find(case_id, by=by)).data)


class Confirm(ApiView):
    """A second senior moderator: confirming a severe decision."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_confirm",
        summary="Confirm somebody's severe decision",
        request=None,
        responses={
            204: DONE,
            **problems(
                _403="You decided it, or it is your own.",
                _404=ABSENT,
                _409="Nothing waits for a second person, or you are none.",
            ),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Be the second person: the decision has effect once its undo window is over."""
        by = person(request)
        pending_decisions.confirm(review_cases.find(case_id, by=by), by=by, at=timezone.now())
        return Response(status=204)


class Overturn(ApiView):
    """A second senior moderator: overturning a severe decision."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_overturn",
        summary="Overturn somebody's severe decision",
        request=None,
        responses={
            204: DONE,
            **problems(
                _403="You decided it, or it is your own.",
                _404=ABSENT,
                _409="Nothing waits for a second person, or you are none.",
            ),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Disagree as the second person: the case goes back to the queue."""
        by = person(request)
        pending_decisions.overturn(review_cases.find(case_id, by=by), by=by)
        return Response(status=204)
