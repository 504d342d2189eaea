"""The API of images: list, look at, download and delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from generation import requests
from generation.api import (
    PAGING,
    NewestFirst,
    SignedInView,
    image_context,
    narrowed,
    problems,
    wanted,
)
from generation.credentials import credentials_of
from generation.image_views import picture
from generation.serializers import (
    CredentialsSerializer,
    ImageDetailSerializer,
    ImageFilterSerializer,
    ImagePageSerializer,
    ImageSerializer,
)
from generation.views import private_file


class PngRenderer(JSONRenderer):
    """Lets a client ask for a picture by `Accept`; a problem is still told in JSON."""

    media_type = "image/png"
    format = "png"


class Images(SignedInView):
    @extend_schema(
        operation_id="images_list",
        summary="List your images, newest first",
        parameters=[ImageFilterSerializer, *PAGING],
        responses={200: ImagePageSerializer, **problems(_400="A filter is not valid.")},
    )
    def get(self, request: Request) -> Response:
        rows = narrowed(
            requests.images_of(self.user()),
            wanted(ImageFilterSerializer, request),
            columns={"status": "state", "model": "model_slug"},
        )
        pages = NewestFirst()
        found: Any = pages.paginate_queryset(rows, request, view=self) or []
        context = image_context(found, request)
        return pages.get_paginated_response(ImageSerializer(found, many=True, context=context).data)


class Image(SignedInView):
    @extend_schema(
        operation_id="images_retrieve",
        summary="Look at one image and its marks",
        responses={200: ImageDetailSerializer, **problems(_404="It is not among yours.")},
    )
    def get(self, request: Request, image_id: UUID) -> Response:
        found = requests.find_image(image_id, by=self.user())
        marks = credentials_of(found.id)
        body = ImageSerializer(found, context=image_context([found], request)).data
        return Response(
            body | {"credentials": CredentialsSerializer(marks).data if marks else None}
        )

    @extend_schema(
        operation_id="images_destroy",
        summary="Delete an image's file; its log entry stays",
        responses={
            204: None,
            **problems(_404="It is not among yours.", _409="A person is still to review it."),
        },
    )
    def delete(self, request: Request, image_id: UUID) -> Response:
        requests.delete_image(image_id, by=self.user(), at=timezone.now())
        return Response(status=204)


class ImageFile(SignedInView):
    renderer_classes = [JSONRenderer, PngRenderer]

    @extend_schema(
        operation_id="images_file",
        summary="Download a released image as PNG, with its marks",
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            **problems(_404="It is not among yours, or not released."),
        },
    )
    def get(self, request: Request, image_id: UUID) -> HttpResponseBase:
        return private_file(picture(requests.find_released_image(image_id, by=self.user())))
