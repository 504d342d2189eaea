"""The API of reviewers among themselves: notes on a case, and whose it is."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.view import ApiView, person
from moderation.cases import review_cases
from moderation.desk.case_api import ABSENT
from moderation.desk.teamwork import case_notes
from moderation.desk.teamwork.teamwork_serializers import (
    AssignmentSerializer,
    AssignSerializer,
    CaseNotePageSerializer,
    CaseNoteSerializer,
    WriteNoteSerializer,
)
from moderation.models import ReviewCase


class OldestNote(Pages):
    """The order of notes: the oldest first."""

    ordering = ("written_at", "id")


class Notes(ApiView):
    """Reviewers: the notes on a case, and writing one."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_notes_list",
        summary="List the notes on a case",
        parameters=[PageSerializer],
        responses={200: CaseNotePageSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """What reviewers wrote for each other, oldest first; nothing while the case is blind."""
        by = person(request)
        found = case_notes.of_case(review_cases.find(case_id, by=by), by=by)
        return OldestNote().answer(found, CaseNoteSerializer, self)

    @extend_schema(
        operation_id="review_notes_create",
        summary="Write a note on a case",
        request=WriteNoteSerializer,
        responses={
            201: CaseNoteSerializer,
            **problems(
                _403="It is about something of your own.",
                _404=ABSENT,
                _422="No words, or too many.",
            ),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Write a note for the desk alone. A note is never changed."""
        by = person(request)
        found = review_cases.find(case_id, by=by)
        form = WriteNoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = case_notes.write(found, form.validated_data["text"], by=by, at=timezone.now())
        return Response(CaseNoteSerializer(made).data, status=201)


class Assign(ApiView):
    """Reviewers: whose a case is, and saying whose."""

    key_scope = "review"

    @extend_schema(
        operation_id="review_assignment_retrieve",
        summary="Show whose a case is",
        responses={200: AssignmentSerializer, **problems(_404=ABSENT)},
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """Whose the case is, and whose it can be."""
        return Response(_assignment(review_cases.find(case_id, by=person(request))))

    @extend_schema(
        operation_id="review_assign",
        summary="Assign a case",
        request=AssignSerializer,
        responses={
            200: AssignmentSerializer,
            **problems(
                _403="It is about something of your own.",
                _404=ABSENT,
                _409="The case is decided.",
                _422="Not a reviewer who may decide it.",
            ),
        },
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Say whose the case is. Others are not given it as their next, and still may claim it."""
        by = person(request)
        found = review_cases.find(case_id, by=by)
        form = AssignSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(_assignment(case_notes.assign(found, to=form.validated_data["to"], by=by)))


def _assignment(case: ReviewCase) -> dict[str, Any]:
    said = {
        "assigned_to": case.assigned_to and case.assigned_to.username,
        "assignable_to": [who.username for who in case_notes.reviewers(case)],
    }
    return AssignmentSerializer(said).data
