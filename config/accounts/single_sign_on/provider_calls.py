"""Calls from the house to a provider: few bytes, little time, no other address than the named."""

from __future__ import annotations

from typing import Any

import requests

CONNECT_S, READ_S = 3.0, 5.0
ANSWER_MAX_BYTES = 1024 * 1024


class AnswerTooLarge(requests.RequestException):
    """More than any provider has to say."""


class BoundedSession(requests.Session):
    """As allauth and this package use one: an answer is read up to its bound, and leads nowhere."""

    def request(self, method: Any, url: Any, *args: Any, **said: Any) -> requests.Response:
        said |= {"timeout": (CONNECT_S, READ_S), "stream": True, "allow_redirects": False}
        response = super().request(method, url, *args, **said)
        kept = bytearray()
        for part in response.iter_content(64 * 1024):
            kept += part
            if len(kept) > ANSWER_MAX_BYTES:
                response.close()
                raise AnswerTooLarge(f"more than {ANSWER_MAX_BYTES} bytes", response=response)
        response._content = bytes(kept)  # where requests keeps what `content` has read
        return response
