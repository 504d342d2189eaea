"""Response headers of every page: the content policy, and the few places where it is wider."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
# The admin's own interface brings its colours as a style element and sets style attributes. Only
# staff can open these pages, and they show no text unescaped.
ADMIN_PREFIX = "/admin/"
# Pages of an account are not kept by a browser either: "back" after signing out shows none.
NEVER_STORED = ("/accounts/", "/account/", ADMIN_PREFIX, "/roles/")
ADMIN_NEEDS = {"style-src": ["'unsafe-inline'"]}


class ContentSecurity(CSPMiddleware):
    """The content policy, wider for the admin alone."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN_PREFIX):
            parts.update = ADMIN_NEEDS
        return parts

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path_info.startswith(NEVER_STORED):
            response["Cache-Control"] = "private, no-store"
        answer: HttpResponseBase = super().process_response(request, response)
        return answer
