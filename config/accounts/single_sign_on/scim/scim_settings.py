"""What django-scim2 is told of the house. The settings read it, so it imports nothing of Django."""

from typing import Any
from urllib.parse import urlsplit

_SCIM = "config.accounts.single_sign_on.scim"


def at(public_url: str) -> dict[str, Any]:
    """The library's settings for a house that answers at that address."""
    parts = urlsplit(public_url)
    return {
        "SCHEME": parts.scheme,
        "NETLOC": parts.netloc,
        "AUTHENTICATION_SCHEMES": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "`manage.py make_scim_token` makes one.",
            }
        ],
        "AUTH_CHECK_MIDDLEWARE": f"{_SCIM}.scim_tokens.TokenCheck",
        "USER_MODEL_GETTER": f"{_SCIM}.scim_filters.user_model",
        "USER_ADAPTER": f"{_SCIM}.scim_users.ProvisionedUserView",
        "USER_FILTER_PARSER": f"{_SCIM}.scim_filters.UserFilters",
        "GROUP_MODEL": "config.accounts.single_sign_on.models.ProvisionedGroup",
        "GROUP_ADAPTER": f"{_SCIM}.scim_groups.ProvisionedGroupView",
        "GROUP_FILTER_PARSER": f"{_SCIM}.scim_filters.GroupFilters",
        "GET_EXTRA_MODEL_FILTER_KWARGS_GETTER": f"{_SCIM}.scim_offers.only_there",
        "GET_QUERYSET_POST_PROCESSOR_GETTER": f"{_SCIM}.scim_offers.with_accounts",
        "SERVICE_PROVIDER_CONFIG_MODEL": f"{_SCIM}.scim_offers.ServiceProviderOffer",
        "SCHEMAS_GETTER": f"{_SCIM}.scim_offers.kept_schemas",
    }
