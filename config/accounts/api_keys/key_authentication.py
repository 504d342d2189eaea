"""The API's way in for programs: a key, and whether it was made for the call.

Every API view names its scope in `key_scope`: one for all methods, or one for each. A view that
names none takes no key, so one that is written without thinking of keys stays closed to them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.accounts.api_keys import key_issuing, key_networks
from config.accounts.second_factor import requirement
from config.core.api.error_dialects import A1111_PREFIX
from config.core.projects import calling
from config.models import ApiKey

SCHEMES = ("bearer", "token")
"""`Token` is how the tokens of before were sent."""


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ps_key_…`, or for A1111's clients HTTP Basic with it as password."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        said = request.headers.get("Authorization", "").split()
        if len(said) == 2 and said[0].lower() == "basic" and _is_a1111(request):
            said = [SCHEMES[0], _password(said[1])]
        if not said or said[0].lower() not in SCHEMES:
            return None
        row = key_issuing.find(said[1], at=timezone.now()) if len(said) == 2 else None
        if row is None:
            raise AuthenticationFailed(
                "This API key is not known, is revoked or has ended.", code="key_not_good"
            )
        key_networks.check(row.networks, str(BaseThrottle().get_ident(request)))
        _require_method(request)
        needed = self.scope_for(request)
        check_scope(row, needed)
        if needed in key_issuing.OF_STAFF:
            requirement.check_key_of(row.owner)
        calling.act_in(row.owner, row.project)
        return row.owner, row

    def scope_for(self, request: Request) -> str | None:
        view = request.parser_context.get("view") if request.parser_context else None
        return scope_of(view, request.method or "GET")

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="api"' if _is_a1111(request) else 'Bearer realm="api"'


def _require_method(request: Request) -> None:
    """A method that a view has not is no matter of scopes. Raises MethodNotAllowed."""
    view = request.parser_context.get("view") if request.parser_context else None
    method = request.method or "GET"
    # Who asks for a key before or beside Django has no view that runs, and looks at methods itself.
    if view is not None and hasattr(view, "request") and method not in view.allowed_methods:
        raise MethodNotAllowed(method)


def _is_a1111(request: Request) -> bool:
    return request.path_info.startswith(A1111_PREFIX)


def _password(encoded: str) -> str:
    """Empty for what is no HTTP Basic (RFC 7617)."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def check_scope(row: ApiKey, needed: str | None) -> None:
    """Raises key_issuing.KeyMayNot."""
    if needed is None:
        raise key_issuing.KeyMayNot(
            message="No key opens this address.", advice="Sign in in a browser instead."
        )
    if needed not in row.scopes:
        said = f"This call needs the scope {needed}; the key has {', '.join(row.scopes)}."
        if needed in key_issuing.scopes_for(row.owner, row.project):
            raise key_issuing.KeyMayNot(message=said)
        raise key_issuing.KeyMayNot(
            message=said, advice="Its account and project are offered no key with that scope."
        )


def scope_of(view: Any, method: str) -> str | None:
    """The scope that a view's method asks of a key; HEAD and OPTIONS as GET, or as any."""
    said = getattr(view, "key_scope", None)
    if not isinstance(said, Mapping):
        return said
    needed: str | None = said.get("GET" if method == "HEAD" else method)
    return next(iter(said.values())) if method == "OPTIONS" else needed
