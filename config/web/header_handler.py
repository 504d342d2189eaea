"""Django's handler, for headers that cannot be read and bodies whose headers name no length."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import IO, Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from config.core.api.error_dialects import told
from config.core.api.problem_documents import BY_STATUS, is_for_programs, of_status


class Handler(ASGIHandler):
    """Django looks for what is no UTF-8 alone; a parameter of `Content-Type` in an encoding that
    does not exist ended as a crash outside of all middleware. A body that comes in chunks was
    empty to its parsers, which go by a header that such a request has not."""

    def create_request(
        self, scope: Mapping[str, Any], body_file: IO[bytes]
    ) -> tuple[ASGIRequest, None] | tuple[None, HttpResponseBase]:
        try:
            made = super().create_request(scope, body_file)
        except ValueError:
            return None, _bad_request(scope["path"])
        if made[0] is not None and (size := body_file.seek(0, os.SEEK_END)):
            made[0].META.setdefault("CONTENT_LENGTH", str(size))
        body_file.seek(0)
        return made


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
