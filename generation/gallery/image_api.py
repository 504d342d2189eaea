"""The API of images: list, look at, download and delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import NewestFirst, SizedPageSerializer
from config.core.api.problem_schema import problems
from config.core.api.signed_in_view import SignedInView
from config.core.api.strict_serializers import StrictSerializer
from config.core.pages import private_file
from generation.gallery import own_images
from generation.gallery.file_views import picture
from generation.gallery.image_serializers import (
    CredentialsSerializer,
    ImageDetailSerializer,
    ImageFilterSerializer,
    ImagePageSerializer,
    ImageSerializer,
)
from generation.gallery.list_filters import narrowed
from generation.gallery.refusal_serializers import image_context
from generation.gallery.shown_credentials import credentials_of
from provenance.assets import transcode


class FormatSerializer(StrictSerializer):
    """`as` is a word of Python's, so the field gets its name below."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "as": serializers.CharField(
                default="png", help_text=f"Its format: {', '.join(transcode.FORMATS)}."
            )
        }


class PngRenderer(JSONRenderer):
    """Lets a client ask for a picture by `Accept`; a problem is still told in JSON."""

    media_type = "image/png"
    format = "png"


class Images(SignedInView):
    """Their owner: lists images."""

    key_scope = "read"

    @extend_schema(
        operation_id="images_list",
        summary="List your images, newest first",
        parameters=[ImageFilterSerializer, SizedPageSerializer],
        responses={200: ImagePageSerializer},
    )
    def get(self, request: Request) -> Response:
        """Held and withheld ones too, without their files."""
        rows = narrowed(
            own_images.images_of(self.user(), self.asked.get("project")),
            self.asked,
            columns={"status": "state", "model": "model_slug"},
        )
        pages = NewestFirst()
        found: Any = pages.paginate_queryset(rows, request, view=self) or []
        context = image_context(found, request)
        return pages.get_paginated_response(ImageSerializer(found, many=True, context=context).data)


class Image(SignedInView):
    """Its owner: looks at an image, or deletes it."""

    key_scope = {"GET": "read", "DELETE": "generate"}

    @extend_schema(
        operation_id="images_retrieve",
        summary="Look at one image and its marks",
        responses={200: ImageDetailSerializer, **problems(_404="It is not among yours.")},
    )
    def get(self, request: Request, image_id: UUID) -> Response:
        """What made it, how it is shown, and the credentials that it carries."""
        found = own_images.find_image(image_id, by=self.user())
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
        """The file and its texts go; others may still verify copies that they have."""
        own_images.delete_image(image_id, by=self.user(), at=timezone.now())
        return Response(status=204)


class ImageFile(SignedInView):
    """Its owner: the bytes of a released image."""

    key_scope = "read"
    renderer_classes = [JSONRenderer, PngRenderer]

    @extend_schema(
        operation_id="images_file",
        summary="Download a released image with its marks; a blurred one as PNG without them",
        parameters=[FormatSerializer],
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            (200, "image/webp"): OpenApiTypes.BINARY,
            **problems(
                _403="It is for adults only.",
                _404="Not among yours, or not released.",
                _422="No such format (`format_not_offered`).",
            ),
        },
    )
    def get(self, request: Request, image_id: UUID) -> HttpResponseBase:
        """`as` chooses the format; other formats than PNG are copies that name the original."""
        found = own_images.find_released_image(image_id, by=self.user())
        mime = transcode.mime_of(self.asked["as"])
        return private_file(picture(found, mime=mime))


class ShowImage(SignedInView):
    """Its owner: shows an image that is blurred."""

    key_scope = "generate"

    @extend_schema(
        operation_id="images_show",
        summary="See a blurred image from now on",
        request=None,
        responses={
            200: ImageSerializer,
            **problems(_404="It is not among yours.", _409="It is not blurred."),
        },
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        """For its owner, who has read why it is blurred."""
        found = own_images.show_image(image_id, by=self.user(), at=timezone.now())
        return Response(ImageSerializer(found, context=image_context([found], request)).data)
