"""The bearer token of SCIM: made in a shell, kept as its digest, good for SCIM alone."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from config.accounts.single_sign_on.models import ProvisioningToken
from config.accounts.single_sign_on.sign_on_told import told

PREFIX = "ps_scim_"
SCOPE = "scim"
_HINT_LENGTH = len(PREFIX) + 4
_LONGEST = 100
_SEEN_EVERY = timedelta(minutes=1)
NOT_GOOD = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
    "detail": "This SCIM token is not known, is revoked or has ended. "
    "Make another with `manage.py make_scim_token`.",
    "status": "401",
}


def make(*, name: str, days: int, at: datetime) -> tuple[ProvisioningToken, str]:
    """A new token and its row. It is in no other place: whoever calls shows it once."""
    token = PREFIX + secrets.token_urlsafe(32)
    row = ProvisioningToken.objects.create(
        name=name,
        digest=_digest(token),
        hint=token[:_HINT_LENGTH],
        made_at=at,
        expires_at=at + timedelta(days=days),
    )
    return row, token


def find(token: str, *, at: datetime) -> ProvisioningToken | None:
    """The one that is good at `at`; its last use is written once a minute."""
    if not token.startswith(PREFIX) or len(token) > _LONGEST:
        return None
    rows = ProvisioningToken.objects.filter(revoked_at=None, expires_at__gt=at)
    row = rows.filter(digest=_digest(token)).first()
    if row is not None:
        not_seen = Q(last_used_at=None) | Q(last_used_at__lte=at - _SEEN_EVERY)
        ProvisioningToken.objects.filter(not_seen, pk=row.pk).update(last_used_at=at)
    return row


def revoke(hint: str, *, at: datetime) -> int:
    """All that begin so: how many there were."""
    rows = ProvisioningToken.objects.filter(hint=hint[:_HINT_LENGTH], revoked_at=None)
    return rows.update(revoked_at=at)


class TokenCheck:
    """Stands before every view of SCIM: no session and no API key opens one, and the body is not
    looked at before."""

    def __init__(self, view: Callable[..., HttpResponse]) -> None:
        self._view = view

    def __call__(self, request: HttpRequest, *args: Any, **said: Any) -> HttpResponse:
        if told().provisioning is None:
            raise Http404
        words = request.headers.get("Authorization", "").split()
        is_bearer = len(words) == 2 and words[0].lower() == "bearer"
        if not is_bearer or find(words[1], at=timezone.now()) is None:
            answer = HttpResponse(
                json.dumps(NOT_GOOD), status=401, content_type="application/scim+json"
            )
            answer["WWW-Authenticate"] = 'Bearer realm="scim"'
            return answer
        return self._view(request, *args, **said)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
