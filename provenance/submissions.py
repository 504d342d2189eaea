"""A file that a stranger sends to be verified: in memory only, bounded, then forgotten.

Django's own upload handlers spool what is larger than two megabytes to disk; this one never does.
"""

import json
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from rest_framework.throttling import SimpleRateThrottle

from provenance import fetch
from provenance.errors import ProofsheetError
from provenance.pictures import PictureUnreadable

FIELD, URL_FIELD = "file", "url"


class FileMissing(ProofsheetError):
    default_code = "file_missing"
    default_message = "Neither a file nor an address came with the request."
    default_advice = f"Send a picture as the field “{FIELD}”, or its address as “{URL_FIELD}”."
    default_status = 400


class FileTooLarge(PictureUnreadable):
    default_code = "file_too_large"
    default_message = "The file is larger than the largest that is looked at."
    default_advice = "Send a smaller copy; the watermark survives that."
    default_status = 413


class TooManyChecks(ProofsheetError):
    default_code = "throttled"
    default_message = "Too many files were sent from your address in a short time."
    default_advice = "Wait a minute, then try again."
    default_status = 429


class VerifyThrottle(SimpleRateThrottle):
    """By network address, and by account for who sends a key: the page knows no accounts."""

    scope = "verify"

    def get_cache_key(self, request: Any, view: Any) -> str:
        has_key = getattr(request, "auth", None) is not None
        ident = f"account {request.user.pk}" if has_key else self.get_ident(request)
        return str(self.cache_format % {"scope": self.scope, "ident": ident})


class InMemory(FileUploadHandler):
    """Keeps the bytes of the form's one file up to the bound, and stops reading beyond it."""

    def __init__(self) -> None:
        super().__init__()
        self.data: bytearray | None = None
        self.is_too_large = False

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        if field_name != FIELD or self.data is not None:
            raise SkipFile
        self.data = bytearray()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.data is None or start + len(raw_data) > settings.PROOFSHEET_VERIFY_MAX_BYTES:
            self.is_too_large = True
            raise StopUpload(connection_reset=True)
        self.data += raw_data

    def file_complete(self, file_size: int) -> None:
        """Nothing is handed on: the caller takes `data`, and no file object outlives it."""


def receive(request: HttpRequest) -> bytes:
    """The bytes of the submitted file, or of what lies at the submitted URL.

    Raises:
        FileMissing: the request has neither a file nor a URL.
        FileTooLarge: it is longer than `PROOFSHEET_VERIFY_MAX_BYTES`.
        fetch.UrlRefused, fetch.UrlUnreachable, fetch.UrlBodyTooLarge: see there.
    """
    handler = InMemory()
    request.upload_handlers = [handler]
    try:
        request.FILES  # noqa: B018 - reading it is what runs the handler
    except MultiPartParserError as error:
        raise FileMissing(message="The form that came with the request is broken.") from error
    if handler.is_too_large:
        bound = settings.PROOFSHEET_VERIFY_MAX_BYTES // 2**20
        raise FileTooLarge(message=f"The file is larger than {bound} MB.")
    if handler.data is not None:
        return bytes(handler.data)
    limits = fetch.Limits(max_bytes=settings.PROOFSHEET_VERIFY_MAX_BYTES)
    return fetch.fetch(_url_of(request), limits=limits)


def _url_of(request: HttpRequest) -> str:
    """The URL of a form or of a JSON body. Raises `FileMissing`."""
    url: object = request.POST.get(URL_FIELD)
    if request.content_type == "application/json":
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise FileMissing from error
        url = body.get(URL_FIELD) if isinstance(body, dict) else None
    if not isinstance(url, str) or not url.strip():
        raise FileMissing
    return url.strip()


def throttle(request: HttpRequest) -> None:
    """Count one check against the sender's address. Raises `TooManyChecks`."""
    if not VerifyThrottle().allow_request(request, None):  # type: ignore[arg-type]  # reads META only
        raise TooManyChecks
