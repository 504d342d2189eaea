"""Asking a server that the operator named in the settings: one call, no redirects. No Django.

Addresses that strangers name are fetched by `config.core.net.safe_fetch` alone.
"""

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import IO

from config.core.errors import ProofsheetError


class Unanswered(ProofsheetError):
    """No answer in time, none that is HTTP, or a longer one than is read."""

    default_code = "server_unanswered"
    default_message = "A server that the settings name did not answer."
    default_advice = "Check its address, and whether it runs."
    default_status = 503


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, its body bounded."""

    status: int
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        """None: the redirect itself is the answer."""


def post(url: str, body: bytes, *, content_type: str, seconds: float, max_bytes: int) -> Answer:
    """The answer to a POST, whatever its status. Raises `Unanswered`."""
    return _answer(url, body, {"Content-Type": content_type}, seconds, max_bytes)


def get(url: str, *, seconds: float, max_bytes: int) -> Answer:
    """The answer to a GET, whatever its status. Raises `Unanswered`."""
    return _answer(url, None, {}, seconds, max_bytes)


def _answer(
    url: str, body: bytes | None, headers: dict[str, str], seconds: float, max_bytes: int
) -> Answer:
    try:
        asked = urllib.request.Request(url, body, {"User-Agent": "Proofsheet", **headers})
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(asked, timeout=seconds) as answer:
                status, told = int(answer.status), bytes(answer.read(max_bytes + 1))
        except urllib.error.HTTPError as error:
            with error:
                status, told = error.code, error.read(max_bytes + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unanswered(message=f"{url} did not answer: {error}.") from error
    if len(told) > max_bytes:
        raise Unanswered(message=f"{url} answered with more than {max_bytes} bytes.")
    return Answer(status, told)
