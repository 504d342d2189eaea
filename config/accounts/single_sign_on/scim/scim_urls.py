"""The addresses of SCIM, below /scim/v2/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django_scim import constants, views
from django_scim.exceptions import BadRequestError, NotFoundError

from config.accounts.single_sign_on.scim import scim_shown, scim_words
from config.accounts.single_sign_on.scim.scim_filters import GroupFilters, UserFilters
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
        return page_of(request.GET)

    @method_decorator(csrf_exempt)
    def dispatch(self, request: HttpRequest, *args: Any, **said: Any) -> HttpResponse:
        """With the attributes alone that the address asks for."""
        answer: HttpResponse = super().dispatch(request, *args, **said)  # type: ignore[misc] # likewise
        try:
            return _narrowed(answer, request.GET)
        except BadRequestError as error:
            told = json.dumps(error.to_dict())
            return HttpResponse(told, content_type=constants.SCIM_CONTENT_TYPE, status=error.status)


class UsersAt(_Careful, views.UsersView):  # type: ignore[misc] # django-scim2 has no types
    """/Users"""


class GroupsAt(_Careful, views.GroupsView):  # type: ignore[misc] # likewise
    """/Groups"""


class _Sought(_Careful, views.SCIMView):  # type: ignore[misc] # likewise
    """A search by POST (RFC 7644, 3.4.3), so that what is sought stands in no address."""

    http_method_names: ClassVar = ["post"]
    kinds: ClassVar[Any] = ()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Of several kinds, those that have the attribute of the filter."""
        body = self.load_body(request.body)
        if body.get("schemas") != [constants.SchemaURI.SERACH_REQUEST]:
            raise scim_words.wrong("A search is a SearchRequest.", "invalidSyntax")
        rows = self._rows(body.get("filter"), request)
        start, count = page_of(body)
        shown = [view(row, request).to_dict() for view, row in rows[start - 1 :][:count]]
        found = {
            "schemas": [constants.SchemaURI.LIST_RESPONSE],
            "totalResults": len(rows),
            "itemsPerPage": len(shown),
            "startIndex": start,
            "Resources": shown,
        }
        content = json.dumps(found)
        answer = HttpResponse(content, content_type=constants.SCIM_CONTENT_TYPE)
        return _narrowed(answer, body)

    def _rows(self, query: Any, request: HttpRequest) -> list[Any]:
        found, refused = [], None
        asked = scim_words.text(query, "filter")
        for filters, view in self.kinds:
            try:
                rows = filters.search(asked, request) if asked else filters.everything()
                found += [(view, row) for row in rows]
            except BadRequestError as error:
                if error.scim_type != "invalidFilter" or len(self.kinds) == 1:
                    raise
                refused = error
        if refused is not None and not found:
            raise refused
        return found


class UsersSought(_Sought):
    """/Users/.search"""

    kinds: ClassVar = ((UserFilters, ProvisionedUserView),)


class GroupsSought(_Sought):
    """/Groups/.search"""

    kinds: ClassVar = ((GroupFilters, ProvisionedGroupView),)


class AllSought(_Sought):
    """/.search"""

    kinds: ClassVar = UsersSought.kinds + GroupsSought.kinds


def page_of(said: Mapping[str, Any]) -> tuple[int, int]:
    """`startIndex`, from 1 whatever is less, and `count`. Raises BadRequestError."""
    try:
        start, count = (int(said.get(*each)) for each in (("startIndex", 1), ("count", 50)))
    except (TypeError, ValueError) as error:
        raise scim_words.wrong("`startIndex` and `count` are numbers.") from error
    return max(1, start), max(0, min(count, PAGE_MAX))


def _narrowed(answer: HttpResponse, said: Mapping[str, Any]) -> HttpResponse:
    """What was found, with the attributes alone that are wanted."""
    wanted = scim_shown.names_in(said.get("attributes"))
    unwanted = scim_shown.names_in(said.get("excludedAttributes"))
    if answer.status_code >= 300 or not answer.content:
        return answer
    found = json.loads(answer.content)
    answer.content = json.dumps(scim_shown.narrowed(found, wanted=wanted, unwanted=unwanted))
    return answer


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
    path(".search", AllSought.as_view(), name="search"),
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
