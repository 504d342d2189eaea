"""The API of one decision for several cases: preview it, decide, undo."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.view import ApiView
from moderation.cases.reviewers import reviewer
from moderation.desk import bulk
from moderation.desk.bulk_serializers import (
    BulkDecideSerializer,
    ChosenSerializer,
    OutcomeSerializer,
    PreviewSerializer,
    UndoneSerializer,
)

NOT_A_REVIEWER = "Not a reviewer."
NO_MEASURE = "No case, or too many."


class BulkPreview(ApiView):
    """Reviewers: what one decision would do to several cases."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_bulk_preview",
        summary="Preview one decision for several cases",
        request=ChosenSerializer,
        responses={
            200: PreviewSerializer,
            **problems(_403=NOT_A_REVIEWER, _422=NO_MEASURE),
        },
    )
    def post(self, request: Request) -> Response:
        """What deciding would do, case by case. Nothing is claimed or changed."""
        by, said = _chosen(request, ChosenSerializer)
        return Response(PreviewSerializer(bulk.preview(by=by, at=timezone.now(), **said)).data)


class BulkDecide(ApiView):
    """Reviewers: deciding several cases at once."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_bulk_decide",
        summary="Decide several cases at once",
        request=BulkDecideSerializer,
        responses={
            202: OutcomeSerializer,
            **problems(_403=NOT_A_REVIEWER, _422=NO_MEASURE),
        },
    )
    def post(self, request: Request) -> Response:
        """Claim and decide each case by itself, under the rules for one. What somebody holds, what
        was decided meanwhile and what needs a look of its own is named in `left`.
        """
        by, said = _chosen(request, BulkDecideSerializer)
        done = bulk.decide(by=by, at=timezone.now(), **said)
        return Response(OutcomeSerializer(done).data, status=202)


class BulkUndo(ApiView):
    """Whoever decided several at once: taking all of it back."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_bulk_undo",
        summary="Undo a decision of several cases",
        request=None,
        responses={
            200: UndoneSerializer,
            **problems(
                _403=NOT_A_REVIEWER,
                _409="The undo window is over, or it was not your decision.",
            ),
        },
    )
    def post(self, request: Request, batch: UUID) -> Response:
        """Take all of it back before anything is sent; the cases wait in the queue again."""
        taken = bulk.undo(batch, by=reviewer(request), at=timezone.now())
        return Response(UndoneSerializer({"undone": taken}).data)


def _chosen(request: Request, serializer: type[ChosenSerializer]) -> tuple[User, dict[str, Any]]:
    """Who asks, and the keywords of `bulk.preview` and `bulk.decide`."""
    by = reviewer(request)
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    said = dict(form.validated_data)
    ids = said.pop("cases")
    return by, {"ids": ids, **said}
