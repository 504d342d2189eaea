"""The adapters' API: what a person may see of the catalogue, upload, and withdraw."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.access import visibility
from adapters.catalogue.adapter_serializers import (
    AdapterPageSerializer,
    AdapterSerializer,
    CatalogueFilterSerializer,
    InspectionReportSerializer,
    UploadSerializer,
)
from adapters.uploads import owner_actions
from adapters.uploads.quarantine import FIELD, Quarantined, QuarantineHandler
from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.view import ApiView

FILTERS = ("text", "model", "rank_max", "whose", "project")


class AdaptersNewestFirst(Pages):
    """Of the same moment by slug, so that no cursor skips one."""

    ordering = ("-created_at", "slug")


class AdapterList(ApiView):
    """What the caller may see of the catalogue; a new upload."""

    key_scope = {"GET": "read", "POST": "generate"}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="adapters_list",
        summary="List the adapters that you may use",
        parameters=[CatalogueFilterSerializer, PageSerializer],
        responses={200: AdapterPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """Your own adapters, those shared with you, and the public ones, newest first."""
        search = visibility.Search(**{n: self.asked[n] for n in FILTERS if n in self.asked})
        pages = AdaptersNewestFirst()
        page = pages.paginate_queryset(
            visibility.search(search, by=request.user), request, view=self
        )
        body = AdapterSerializer(page, many=True, context={"by": request.user}).data
        return pages.get_paginated_response(body)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Sets the upload handler before anything, the CSRF check included, reads the body."""
        request.upload_handlers = [QuarantineHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="adapters_create",
        summary="Upload an adapter",
        request={"multipart/form-data": UploadSerializer},
        responses={
            202: InspectionReportSerializer,
            200: InspectionReportSerializer,
            **problems(_422="`model_not_registered`: no model here has that slug."),
        },
    )
    def post(self, request: Request) -> Response:
        """Upload a LoRA file. It is checked on a worker: follow `state` and `report` of the answer.

        202 for a new file, 200 for one that you uploaded before.
        """
        file = request.FILES.get(FIELD)
        if not isinstance(file, Quarantined):
            raise ValidationError({FIELD: ["Send the adapter as a file in this field."]})
        said = UploadSerializer(data=request.data)
        if not said.is_valid():
            file.discard()
            raise ValidationError(said.errors)
        received = owner_actions.receive(
            file, said.details(), by=person(request), at=timezone.now()
        )
        body = InspectionReportSerializer(
            received.adapter, context={"by": request.user, "is_new": received.is_new}
        ).data
        return Response(body, status=202 if received.is_new else 200)


class AdapterDetail(ApiView):
    """One adapter, looked at or taken back."""

    key_scope = {"GET": "read", "DELETE": "generate"}

    @extend_schema(
        operation_id="adapters_retrieve",
        summary="Show an adapter, to its owner with the report",
        responses=InspectionReportSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """One adapter, for whoever acts in its project with the report. Somebody else's private
        one is 404."""
        adapter = visibility.find_visible(slug, by=request.user)
        is_own = adapter.project_id in visibility.acts_in(request.user)
        serializer = InspectionReportSerializer if is_own else AdapterSerializer
        return Response(serializer(adapter, context={"by": request.user}).data)

    @extend_schema(
        operation_id="adapters_withdraw",
        summary="Withdraw your adapter, or remove one that did not fit",
        responses={
            204: None,
            **problems(_409="It was withdrawn or refused before, or is being fitted."),
        },
    )
    def delete(self, request: Request, slug: str) -> Response:
        """Withdraw an own adapter: requests that wait fail, running ones still end. One that the
        check turned away is removed with its file, as if it had never been sent."""
        owner_actions.discard(slug, by=person(request), at=timezone.now())
        return Response(status=204)


class AdapterFit(ApiView):
    """A lower rank made from an own adapter."""

    key_scope = "generate"

    @extend_schema(
        operation_id="adapters_fit",
        summary="Make an adapter of too high a rank fit",
        request=None,
        responses={
            202: InspectionReportSerializer,
            **problems(_409="`not_fittable`: it fits already, or no rank helps."),
        },
    )
    def post(self, request: Request, slug: str) -> Response:
        """Fit an own adapter, whose rank is too high, to its model's: a new, derived adapter."""
        derived = owner_actions.fit_to_ceiling(slug, by=person(request), at=timezone.now())
        return Response(InspectionReportSerializer(derived).data, status=202)


def person(request: Request) -> AbstractBaseUser:
    """The signed-in user: the default permission lets nobody else in."""
    assert isinstance(request.user, AbstractBaseUser), "IsAuthenticated came first"
    return request.user
