"""The addresses of SCIM, below /scim/v2/."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django_scim import constants, views
from django_scim.exceptions import NotFoundError

from config.accounts.single_sign_on.scim import scim_words
from config.accounts.single_sign_on.scim.scim_groups import ProvisionedGroupView
from config.accounts.single_sign_on.scim.scim_offers import PAGE_MAX, kept_schemas
from config.accounts.single_sign_on.scim.scim_users import ProvisionedUserView
from config.core.pages import uuid_of


class _Careful:
    """Bodies are objects, ids are UUIDs, pages have an end; django-scim2 would answer 500."""

    def load_body(self, body: bytes) -> dict[str, Any]:
        try:
            found = super().load_body(body)  # type: ignore[misc] # of django-scim2's view beside it
        except (UnicodeDecodeError, RecursionError) as error:
            raise scim_words.wrong("The body is no JSON.", "invalidSyntax") from error
        if not isinstance(found, dict):
            raise scim_words.wrong("The body is no JSON object.", "invalidSyntax")
        return found

    def get_object(self) -> Any:
        uuid = self.kwargs.get("uuid")  # type: ignore[attr-defined] # likewise
        if uuid_of(uuid) is None:
            raise NotFoundError(str(uuid)[:60])
        return super().get_object()  # type: ignore[misc] # likewise

    def _page(self, request: HttpRequest) -> tuple[int, int]:
        start, count = super()._page(request)  # type: ignore[misc] # likewise
        return start, max(0, min(count, PAGE_MAX))


class UsersAt(_Careful, views.UsersView):  # type: ignore[misc] # django-scim2 has no types
    """/Users"""


class GroupsAt(_Careful, views.GroupsView):  # type: ignore[misc] # likewise
    """/Groups"""


class UsersSought(_Careful, views.UserSearchView):  # type: ignore[misc] # likewise
    """/Users/.search"""


class GroupsSought(_Careful, views.GroupSearchView):  # type: ignore[misc] # likewise
    """/Groups/.search"""


class _Catalogue(views.SCIMView):  # type: ignore[misc] # likewise
    """What a server says of itself: a list, and one of it by its id. django-scim2's leave the count
    out and answer an unknown id with nothing."""

    http_method_names: ClassVar = ["get"]

    def entries(self, request: HttpRequest) -> list[dict[str, Any]]:
        raise NotImplementedError

    def get(self, request: HttpRequest, uuid: str | None = None) -> HttpResponse:
        found = self.entries(request)
        if uuid is not None:
            said = next((one for one in found if one["id"] == uuid), None)
            if said is None:
                raise NotFoundError(uuid[:100])
        else:
            schemas = [constants.SchemaURI.LIST_RESPONSE]
            counted = {"totalResults": len(found), "itemsPerPage": len(found), "startIndex": 1}
            said = {"schemas": schemas, **counted, "Resources": found}
        return HttpResponse(json.dumps(said), content_type=constants.SCIM_CONTENT_TYPE)


class ResourceTypesAt(_Catalogue):
    """/ResourceTypes"""

    def entries(self, request: HttpRequest) -> list[dict[str, Any]]:
        kinds = (("/Users", ProvisionedUserView), ("/Groups", ProvisionedGroupView))
        return [kind.resource_type_dict(request) | {"endpoint": at} for at, kind in kinds]


class SchemasAt(_Catalogue):
    """/Schemas"""

    def entries(self, request: HttpRequest) -> list[dict[str, Any]]:
        return kept_schemas()


app_name = "scim"
urlpatterns = [
    path("Users/.search", UsersSought.as_view(), name="users-search"),
    path("Users", UsersAt.as_view(), name="users"),
    path("Users/<str:uuid>", UsersAt.as_view(), name="users"),
    path("Groups/.search", GroupsSought.as_view(), name="groups-search"),
    path("Groups", GroupsAt.as_view(), name="groups"),
    path("Groups/<str:uuid>", GroupsAt.as_view(), name="groups"),
    path(
        "ServiceProviderConfig",
        views.ServiceProviderConfigView.as_view(),
        name="service-provider-config",
    ),
    path("ResourceTypes", ResourceTypesAt.as_view(), name="resource-types"),
    path("ResourceTypes/<str:uuid>", ResourceTypesAt.as_view(), name="resource-types"),
    path("Schemas", SchemasAt.as_view(), name="schemas"),
    path("Schemas/<str:uuid>", SchemasAt.as_view(), name="schemas"),
]
