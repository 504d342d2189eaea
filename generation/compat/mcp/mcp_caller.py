"""Who calls a tool: made by the door from the request's headers, before its body is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.http import HttpRequest

from config.core.errors import ProofsheetError
from config.core.projects import end_users
from config.core.projects.calling import END_USER_HEADER, Caller, as_caller

if TYPE_CHECKING:
    from config.models import ApiKey

SCOPE_KEY = "proofsheet.mcp_caller"
"""Where the ASGI scope carries it."""


class ToolNeedsScope(ProofsheetError):
    """The key is good, but was made for other tools."""

    default_code = "key_scope_missing"
    default_message = "This key was not made for that tool."
    default_advice = "Make a key with that scope on your account’s page."
    default_status = 403


@dataclass(frozen=True, slots=True)
class McpCaller:
    """`request` has the headers alone, for addresses in answers."""

    user: User
    key: ApiKey
    request: HttpRequest

    def acting(self) -> Caller:
        """With the end user whom the request's headers name. Raises EndUserIdTooLong."""
        claimed = self.request.headers.get(END_USER_HEADER, "").strip()
        by = as_caller(self.user)
        end_user = end_users.seen(by.project, claimed) if claimed else None
        return replace(by, end_user=end_user)

    def require(self, scope: str) -> None:
        """Raises ToolNeedsScope."""
        if scope not in self.key.scopes:
            has = ", ".join(sorted(self.key.scopes))
            raise ToolNeedsScope(message=f"This tool needs the scope {scope}; the key has {has}.")
