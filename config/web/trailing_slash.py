"""An address without its slash leads to the one with it, and what was sent goes along."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.utils.http import escape_leading_slashes


class KeepingMethod(CommonMiddleware):
    """308 (RFC 9110, 15.4.9): a client must not turn a POST into a GET, as it may after 301."""

    response_redirect_class = partial(  # type: ignore[assignment] # called, never subclassed
        HttpResponsePermanentRedirect, preserve_request=True
    )

    def get_full_path_with_slash(self, request: HttpRequest) -> str:
        return escape_leading_slashes(request.get_full_path(force_append_slash=True))
