"""The API of statements: one's own, and one of them."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.view import ApiView, person
from config.core.projects.project_filter import OfProjectSerializer
from moderation.statements import issuing
from moderation.statements.statement_serializers import (
    StatementPageSerializer,
    StatementSerializer,
)


class NewestStatement(Pages):
    """The order of one's own statements: the newest first."""

    ordering = ("-created_at", "id")


class StatementList(ApiView):
    """Whoever something was restricted of: their statements."""

    key_scope = "read"

    @extend_schema(
        operation_id="statements_list",
        summary="List your statements of reasons",
        parameters=[OfProjectSerializer, PageSerializer],
        responses={200: StatementPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """Your statements of reasons, newest first."""
        found = issuing.of_project(by=person(request), project=self.asked.get("project"))
        return NewestStatement().answer(found, StatementSerializer, self)


class StatementDetail(ApiView):
    """Whoever something was restricted of: one statement of theirs."""

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
