"""Lists by pages. A cursor is signed: what this house did not hand out is none."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core import signing
from rest_framework import serializers
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from config.core.api.strict_serializers import StrictSerializer
from config.core.errors import ProofsheetError


class CursorInvalid(ProofsheetError):
    """Mistyped, or of another list."""

    default_code = "cursor_invalid"
    default_message = "That cursor was not handed out for this list."
    default_advice = "Take `next` or `previous` of an answer as it is, or begin without a cursor."
    default_status = 400


class PageSerializer(StrictSerializer):
    """Which page of a list is wanted."""

    cursor = serializers.CharField(required=False, help_text="From `next` or `previous`.")


class SizedPageSerializer(PageSerializer):
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=100, help_text="24 when left out."
    )


def page_of(serializer: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    """What a page of them looks like, as a serializer that is named after theirs."""
    fields = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": serializer(many=True),
    }
    name = serializer.__name__.removesuffix("Serializer")
    made: type[serializers.Serializer[Any]] = type(
        f"{name}PageSerializer", (serializers.Serializer,), fields
    )
    return made


class Pages(CursorPagination):
    """Names no page by a number: rows that come and go meanwhile shift nothing."""

    def answer(
        self, rows: Any, serializer: type[serializers.Serializer[Any]], view: Any
    ) -> Response:
        """The page of `rows` that the view's request asks for, each as `serializer` shows it."""
        page: Any = self.paginate_queryset(rows, view.request, view=view)
        return self.get_paginated_response(serializer(page, many=True).data)

    def decode_cursor(self, request: Request) -> Cursor | None:
        signed = request.query_params.get(self.cursor_query_param)
        if signed is None:
            return None
        try:
            offset, is_reverse, position = signing.loads(signed, salt=self._salt())
        except signing.BadSignature as error:
            raise CursorInvalid from error
        return Cursor(offset=offset, reverse=is_reverse, position=position)

    def encode_cursor(self, cursor: Cursor) -> str:
        signed = signing.dumps(list(cursor), salt=self._salt())
        return replace_query_param(str(self.base_url), self.cursor_query_param, signed)

    def _salt(self) -> str:
        return f"cursor of {urlsplit(str(self.base_url)).path} by {','.join(self.ordering)}"


class NewestFirst(Pages):
    """The usual order of a list; its reader may choose the size of a page."""

    ordering = ("-created_at", "-id")
    page_size_query_param = "page_size"
