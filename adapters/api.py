"""The adapters' API: what a person may see of the catalogue."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adapters import catalogue
from adapters.forms import CatalogueFilter
from adapters.serializers import AdapterSerializer


class NewestFirst(CursorPagination):
    ordering = ("-created_at", "slug")


class AdapterList(APIView):
    @extend_schema(
        operation_id="adapters_list",
        parameters=[
            OpenApiParameter("text", OpenApiTypes.STR, description="In the name, trigger or tags."),
            OpenApiParameter("model", OpenApiTypes.STR, description="Slug of a base model."),
            OpenApiParameter("rank_max", OpenApiTypes.INT, description="4, 8, 16, 32, 64 or 128."),
            OpenApiParameter("whose", OpenApiTypes.STR, description="`mine` or `shared`."),
            OpenApiParameter("cursor", OpenApiTypes.STR),
        ],
        responses=AdapterSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Your own adapters, those shared with you, and the public ones, newest first."""
        form = CatalogueFilter(request.query_params, models=list(catalogue.active_models()))
        found = catalogue.search(form.search(), by=request.user)
        pages = NewestFirst()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(AdapterSerializer(page, many=True).data)


class AdapterDetail(APIView):
    @extend_schema(operation_id="adapters_retrieve", responses=AdapterSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """One adapter. Somebody else's private one is 404."""
        adapter = catalogue.find_visible(slug, by=request.user)
        return Response(AdapterSerializer(adapter).data)
