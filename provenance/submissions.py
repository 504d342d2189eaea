"""A file that a stranger sends to be verified: in memory only, bounded, then forgotten.

Django's own upload handlers spool what is larger than two megabytes to disk; this one never does.
"""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from rest_framework.throttling import SimpleRateThrottle

from provenance.errors import ProofsheetError
from provenance.pictures import PictureUnreadable

FIELD = "file"


class FileMissing(ProofsheetError):
    default_code = "file_missing"
    default_message = "No file came with the request."
    default_advice = f"Send a picture as the multipart field “{FIELD}”."
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
    """By network address, for everybody alike: the page knows no accounts."""

    scope = "verify"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return str(self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)})


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
    """The bytes of the submitted file.

    Raises:
        FileMissing: the form has no such file, or is no form.
        FileTooLarge: it is longer than `PROOFSHEET_VERIFY_MAX_BYTES`.
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
    if handler.data is None:
        raise FileMissing
    return bytes(handler.data)


def throttle(request: HttpRequest) -> None:
    """Count one check against the sender's address. Raises `TooManyChecks`."""
    if not VerifyThrottle().allow_request(request, None):  # type: ignore[arg-type]  # reads META only
        raise TooManyChecks
