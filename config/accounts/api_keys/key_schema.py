"""What the API's schema says about keys: how one is sent, and which scope each call needs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from config.accounts.api_keys import key_format
from config.accounts.api_keys.key_authentication import scope_of
from config.core.api.problem_schema import HouseSchema
from config.models import ApiKey


class KeyScheme(OpenApiAuthenticationExtension):
    """The `Authorization` header in the schema, with the scopes."""

    target_class = "config.accounts.api_keys.key_authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = "\n".join(f"- `{scope.value}`: {scope.label}" for scope in ApiKey.Scope)
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": f"{key_format.PREFIX}…",
            "description": f"A key from your account's page. Its scopes:\n\n{scopes}\n\n"
            "`x-key-scope` of each call names the one that it needs.",
        }


class ScopedSchema(HouseSchema):
    """Each call says which scope it needs."""

    def get_extensions(self) -> dict[str, Any]:
        scope = scope_of(self.view, self.method)
        said: dict[str, Any] = super().get_extensions()
        return said | ({"x-key-scope": scope} if scope else {})
