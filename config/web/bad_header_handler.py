"""Django's handler, which answers too where a request's headers cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from config.core.api.error_dialects import told
from config.core.api.problem_documents import BY_STATUS, is_for_programs, of_status


class Handler(ASGIHandler):
    """Django looks for what is no UTF-8 alone; a parameter of `Content-Type` in an encoding that
    does not exist ended as a crash outside of all middleware."""

    def create_request(
        self, scope: Mapping[str, Any], body_file: IO[bytes]
    ) -> tuple[ASGIRequest, None] | tuple[None, HttpResponseBase]:
        try:
            return super().create_request(scope, body_file)
        except ValueError:
            return None, _bad_request(scope["path"])


def _bad_request(path: str) -> HttpResponse:
    _, title, advice = BY_STATUS[400]
    is_read = is_for_programs(path)
    said = told(path, of_status(400))
    return HttpResponse(
        json.dumps(said.body) if is_read else f"{title} {advice}\n",
        status=400,
        content_type=said.content_type if is_read else "text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
