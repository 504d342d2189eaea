"""A file that a stranger sends to be verified: in memory only, bounded, then forgotten.

Django's own upload handlers spool what is larger than two megabytes to disk; this one never does.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from config.core.api import json_bodies
from config.core.api.throttles import RateThrottle
from config.core.errors import ProofsheetError
from config.core.gate import Gate
from config.core.net import safe_fetch
from provenance.pictures.decoder import COPY_LOSES, PictureUnreadable

FIELD, URL_FIELD = "file", "url"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded", "application/json")
WAITING_FOR_EACH, PATIENCE_S = 4, 10.0
_Said = ParamSpec("_Said")
_Answer = TypeVar("_Answer")
_gate = Gate(
    settings.PROOFSHEET_VERIFY_AT_ONCE,
    most_waiting=WAITING_FOR_EACH * settings.PROOFSHEET_VERIFY_AT_ONCE,
    patience_s=PATIENCE_S,
)


def in_turn(look: Callable[_Said, _Answer]) -> Callable[_Said, _Answer]:
    """Looks at so many strangers' files at once as the setting says, and no more: what one takes is
    bounded, and so is what all take together. Adds `gate.Busy` to what is raised.
    """

    @wraps(look)
    def looked(*args: _Said.args, **kwargs: _Said.kwargs) -> _Answer:
        with _gate.passed():
            return look(*args, **kwargs)

    return looked


class FileMissing(ProofsheetError):
    """Nothing to look at came."""

    default_code = "file_missing"
    default_message = "Neither a file nor an address came with the request."
    default_advice = f"Send a picture as the field “{FIELD}”, or its address as “{URL_FIELD}”."
    default_status = 400


class TwoSubjects(ProofsheetError):
    """Several files, or a file and an address at once."""

    default_code = "two_subjects"
    default_message = "More than one file or address came."
    default_advice = "Send one of them: which of the two was meant, nobody can tell."
    default_status = 400


class UnknownMember(ProofsheetError):
    """A member beside the file or the address."""

    default_code = "unknown_member"
    default_message = "The request has a member that is not known here."
    default_advice = f"Send “{FIELD}” or “{URL_FIELD}” and nothing beside it."
    default_status = 400


class FileTooLarge(PictureUnreadable):
    """More bytes than are read."""

    default_code = "file_too_large"
    default_message = "The file is larger than the largest that is looked at."
    default_advice = COPY_LOSES.replace("A copy", "A smaller copy")
    default_status = 413


class TooManyChecks(ProofsheetError):
    """An address past its limit of checks a minute."""

    default_code = "throttled"
    default_message = "Too many files were sent from your address in a short time."
    default_advice = "Wait a minute, then try again."
    default_status = 429


class VerifyThrottle(RateThrottle):
    """By network address, and by account for who sends a key: the page knows no accounts."""

    scope = "verify"

    def get_cache_key(self, request: Any, view: Any) -> str:
        has_key = getattr(request, "auth", None) is not None
        ident = f"account-{request.user.pk}" if has_key else self.get_ident(request)
        return str(self.cache_format % {"scope": self.scope, "ident": ident})


class InMemory(FileUploadHandler):
    """Keeps the bytes of the form's one file up to the bound, and stops reading beyond it."""

    def __init__(self) -> None:
        super().__init__()
        self.data: bytearray | None = None
        self.is_too_large = False
        self.others: list[str] = []

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        if field_name != FIELD or self.data is not None:
            self.others.append(field_name)
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
        TwoSubjects: it has both, or two files.
        UnknownMember: it has something else beside them.
        FileTooLarge: it is longer than `PROOFSHEET_VERIFY_MAX_BYTES`.
        UrlRefused, UrlUnreachable, UrlBodyTooLarge: see there.
    """
    handler = InMemory()
    request.upload_handlers = [handler]
    try:
        request.FILES  # noqa: B018 - reading it is what runs the handler
    except MultiPartParserError as error:
        raise FileMissing(message="The form that came with the request is broken.") from error
    if handler.is_too_large:
        raise FileTooLarge(message=_too_large())
    said = _members(request)
    _check_members([*said, *handler.others], has_file=handler.data is not None)
    if handler.data is not None:
        data, handler.data = bytes(handler.data), None  # the request outlives this; one copy does
        return data
    limits = safe_fetch.Limits(max_bytes=settings.PROOFSHEET_VERIFY_MAX_BYTES)
    return safe_fetch.fetch(_url_of(said), limits=limits)


def receive_asset(request: HttpRequest) -> bytes:
    """As `receive`, or the body itself where it is no form and no JSON (C2PA SBR: `image/*`)."""
    if request.content_type in FORMS:
        return receive(request)
    data = request.read(settings.PROOFSHEET_VERIFY_MAX_BYTES + 1)
    if not data:
        raise FileMissing(
            message="The request's body is empty.",
            advice=f"Send a picture as the body, or as a form's field “{FIELD}”.",
        )
    if len(data) > settings.PROOFSHEET_VERIFY_MAX_BYTES:
        raise FileTooLarge(message=_too_large())
    return bytes(data)


def _too_large() -> str:
    return f"The file is larger than {settings.PROOFSHEET_VERIFY_MAX_BYTES // 2**20} MB."


def _members(request: HttpRequest) -> Mapping[str, object]:
    """Of a form, without its files, or of a JSON body. Raises `FileMissing`."""
    if request.content_type != "application/json":
        return request.POST
    try:
        body = json_bodies.read(request.body.decode())
    except ValueError as error:
        raise FileMissing(message="The body is no JSON.") from error
    if not isinstance(body, dict):
        raise FileMissing
    return body


def _check_members(names: list[str], *, has_file: bool) -> None:
    for name in names:
        if name not in (FIELD, URL_FIELD, "csrfmiddlewaretoken"):
            raise UnknownMember(message=f"There is no member “{name[:80]}” here.")
    if has_file and (FIELD in names or URL_FIELD in names):
        raise TwoSubjects


def _url_of(said: Mapping[str, object]) -> str:
    """Raises `FileMissing`."""
    url = said.get(URL_FIELD)
    if not isinstance(url, str) or not url.strip():
        raise FileMissing
    return url.strip()


def throttle(request: HttpRequest) -> None:
    """Count one check against the sender's address. Raises `TooManyChecks`."""
    if not VerifyThrottle().allow_request(request, None):  # type: ignore[arg-type]  # reads META only
        raise TooManyChecks
