"""The API of appeals: lodge, read, withdraw one's own, and for senior moderators hear others'."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.view import ApiView, person
from config.core.projects.project_filter import AnyProjectSerializer, OfProjectSerializer
from moderation.appeals import hearing
from moderation.appeals.appeal_serializers import (
    AppealPageSerializer,
    AppealSerializer,
    HearingPageSerializer,
    HearingSerializer,
    HearSerializer,
    LodgeSerializer,
)
from moderation.statements import issuing

ABSENT = "No such appeal that you may see."


class NewestAppeal(Pages):
    """The order of one's own appeals: the newest first."""

    ordering = ("-lodged_at", "id")


class SoonestDue(Pages):
    """The order of appeals to be heard: the soonest due first."""

    ordering = ("due_at", "id")


class AppealList(ApiView):
    """Whoever a decision concerns: their appeals, and lodging one."""

    key_scope = {"GET": "read", "POST": "generate"}

    @extend_schema(
        operation_id="appeals_list",
        summary="List your appeals",
        parameters=[OfProjectSerializer, PageSerializer],
        responses={200: AppealPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """Your appeals, newest first."""
        found = hearing.of_project(by=person(request), project=self.asked.get("project"))
        return NewestAppeal().answer(found, AppealSerializer, self)

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
    """The appellant: one appeal of theirs."""

    key_scope = "read"

    @extend_schema(
        operation_id="appeals_retrieve",
        summary="Show one of your appeals",
        responses={200: AppealSerializer, **problems(_404="Not yours, or not there.")},
    )
    def get(self, request: Request, appeal_id: UUID) -> Response:
        """One of your appeals. Somebody else's is 404."""
        found = hearing.lodged_by(person(request)).filter(id=appeal_id).first()
        if found is None:
            raise hearing.AppealNotFound
        return Response(AppealSerializer(found).data)


class Withdraw(ApiView):
    """The appellant: taking an appeal back."""

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
        found = hearing.lodged_by(by).filter(id=appeal_id).first()
        if found is None:
            raise hearing.AppealNotFound
        return Response(AppealSerializer(hearing.withdraw(found, by=by, at=timezone.now())).data)


class ToHear(ApiView):
    """Senior moderators: the appeals that they may hear."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_appeals_list",
        summary="List the appeals that you may hear",
        parameters=[AnyProjectSerializer, PageSerializer],
        responses={200: HearingPageSerializer, **problems(_403="Not a senior moderator.")},
    )
    def get(self, request: Request) -> Response:
        """Appeals that wait and that you have no part in, the soonest due first."""
        by = person(request)
        if not by.has_perm("moderation.hear_appeals"):
            raise hearing.NotASenior
        found = hearing.waiting_for(by, project=self.asked.get("project"))
        return SoonestDue().answer(found, HearingSerializer, self)


class Hear(ApiView):
    """Senior moderators: concluding an appeal."""

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
