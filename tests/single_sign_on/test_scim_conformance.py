"""SCIM as a checker of somebody else's sees it, and as Okta and Entra call it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tests.single_sign_on.test_scim import GROUPS, USERS, Scim, scim, token

__all__ = ["scim", "token"]  # fixtures
pytestmark = pytest.mark.django_db
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
GOOD = {"SUCCESS", "COMPLIANT", "ACCEPTABLE", "SKIPPED"}


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Of the test's transaction, which the end of a request would close."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("kept_connection")
def test_a_checker_of_the_standard_finds_nothing_wrong(scim: Scim, token: str) -> None:
    # Six seconds of models: for the process that runs this test, not for every one that collects.
    from scim2_client.engines.wsgi import WSGISCIMClient
    from scim2_tester import check_server

    client = WSGISCIMClient(
        WSGIHandler(),
        base_url=f"{settings.PUBLIC_URL}/scim/v2",
        headers={"Authorization": f"Bearer {token}"},
    )
    results = check_server(client)
    assert len(results) > 30
    wrong = [f"{one.title}: {one.reason}" for one in results if one.status.name not in GOOD]
    assert wrong == [], "\n".join(wrong)


def test_a_user_needs_no_display_name_and_a_group_says_its_members(scim: Scim) -> None:
    made = scim.user("nora")
    assert "displayName" not in made
    group = scim.group("staff", made)
    assert "display" not in group["members"][0]
    path = f"{GROUPS}/{group['id']}"
    for names in ("members.display", "members,members.display"):
        [member] = scim.call("GET", f"{path}?attributes={names}").json()["members"]
        assert member["display"] == "nora@corp.example"
    [member] = scim.call("GET", f"{path}?attributes=members").json()["members"]
    assert set(member) == {"value", "$ref", "type"}
    schemas = {one["name"]: one for one in scim.call("GET", "/scim/v2/Schemas").json()["Resources"]}
    required = {
        (kind, one["name"])
        for kind, schema in schemas.items()
        for one in schema["attributes"]
        if one["required"]
    }
    assert required == {("User", "userName"), ("User", "active"), ("Group", "displayName")}
    [members] = [one for one in schemas["Group"]["attributes"] if one["name"] == "members"]
    assert "display" in {one["name"] for one in members["subAttributes"]}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("attributes=userName", {"schemas", "id", "userName"}),
        ("attributes=USERNAME,emails.value", {"schemas", "id", "userName", "emails"}),
        ("attributes=urn:ietf:params:scim:schemas:core:2.0:User:active",
         {"schemas", "id", "active"}),
        ("excludedAttributes=emails,meta",
         {"schemas", "id", "externalId", "userName", "active"}),
        ("excludedAttributes=id,schemas",
         {"schemas", "id", "externalId", "userName", "active", "emails", "meta"}),
    ],
)  # fmt: skip
def test_only_the_attributes_that_are_asked_for_are_shown(
    scim: Scim, query: str, shown: set[str]
) -> None:
    made = scim.user("nora")
    one = scim.call("GET", f"{USERS}/{made['id']}?{query}").json()
    listed = scim.call("GET", f"{USERS}?{query}").json()
    assert set(one) == shown
    assert set(listed["Resources"][0]) == shown
    assert listed["totalResults"] == 1
    if "emails.value" in query:
        assert one["emails"] == [{"value": "nora@corp.example"}]


def test_a_search_under_the_root_finds_users_and_groups(scim: Scim) -> None:
    made = scim.user("nora", displayName="staff")
    group = scim.group("staff", made)

    def sought(path: str, **said: Any) -> Any:
        return scim.call("POST", f"/scim/v2{path}", {"schemas": [SEARCH], **said})

    found = sought("/.search", filter='displayName eq "staff"').json()
    assert {one["id"] for one in found["Resources"]} == {made["id"], group["id"]}
    only = sought("/.search", filter='userName eq "nora@corp.example"', attributes=["userName"])
    assert [set(one) for one in only.json()["Resources"]] == [{"schemas", "id", "userName"}]
    assert sought("/.search").json()["totalResults"] == 2
    second = sought("/.search", startIndex=2, count=1).json()
    assert (second["startIndex"], second["itemsPerPage"]) == (2, 1)
    assert sought("/Users/.search").json()["totalResults"] == 1
    assert sought("/.search", filter='password eq "a"').status_code == 400
    assert sought("/.search", count="many").status_code == 400
    assert scim.call("POST", "/scim/v2/.search", {}).status_code == 400
    assert scim.call("GET", f"{USERS}?attributes={'a,' * 60}").status_code == 400


@pytest.mark.parametrize("is_active", [True, False])
def test_taking_active_away_neither_opens_nor_closes_an_account(
    scim: Scim, is_active: bool
) -> None:
    made = scim.user("nora", active=is_active)
    done = scim.patch(f"{USERS}/{made['id']}", {"op": "remove", "path": "active"})
    assert (done.status_code, done.json()["scimType"]) == (400, "mutability")
    assert User.objects.get().is_active is is_active
    whole = {"userName": "nora@corp.example", "externalId": "id-of-nora"}
    assert scim.call("PUT", f"{USERS}/{made['id']}", whole).json()["active"] is is_active


def test_what_entra_calls(scim: Scim) -> None:
    """Its test of the connection, its look-ups, and its changes, each as it sends them."""
    nobody = scim.call("GET", f'{USERS}?filter=userName eq "0f1a-nobody"').json()
    assert (nobody["totalResults"], nobody["Resources"]) == (0, [])
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    made = scim.user(
        "nora",
        schemas=["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
        roles=[],
        **{enterprise: {"department": "x"}, "name.familyName": "N"},
    )
    path = f"{USERS}/{made['id']}"
    done = scim.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "n2@corp.example"},
        {"op": "Add", "path": f"{enterprise}:department", "value": "y"},
        {"op": "Replace", "value": {"displayName": "Nora N", "name.givenName": "N"}},
    )
    assert (done.status_code, done.json()["displayName"]) == (200, "Nora N")
    assert done.json()["emails"][0]["value"] == "n2@corp.example"
    group = scim.group("pf-moderators")
    query = 'excludedAttributes=members&filter=displayName eq "pf-moderators"'
    [found] = scim.call("GET", f"{GROUPS}?{query}").json()["Resources"]
    assert "members" not in found
    member = [{"value": made["id"]}]
    for verb in ("Add", "Remove"):
        change = {"op": verb, "path": "members", "value": member}
        assert scim.patch(f"{GROUPS}/{group['id']}", change).status_code == 200
    assert "members" not in scim.call("GET", f"{GROUPS}/{group['id']}").json()
    off = {"op": "Replace", "path": "active", "value": "False"}
    assert scim.patch(path, off).json()["active"] is False


def test_what_okta_calls(scim: Scim) -> None:
    assert scim.call("GET", f"{USERS}?startIndex=0&count=2").json()["startIndex"] == 1
    made = scim.user(
        "nora",
        locale="en-US",
        password="never kept",
        groups=[],
    )
    whole = made | {"displayName": "Nora", "password": "x", "active": True}
    assert scim.call("PUT", f"{USERS}/{made['id']}", whole).json()["displayName"] == "Nora"
    group = scim.group("pf-moderators", made)
    renamed = {"op": "replace", "value": {"id": group["id"], "displayName": "pf-ops"}}
    assert scim.patch(f"{GROUPS}/{group['id']}", renamed).status_code == 200
    swap: list[dict[str, Any]] = [
        {"op": "remove", "path": f'members[value eq "{made["id"]}"]'},
        {"op": "add", "path": "members", "value": [{"value": made["id"], "display": "nora"}]},
    ]
    assert len(scim.patch(f"{GROUPS}/{group['id']}", *swap).json()["members"]) == 1
    page = scim.call("GET", f"{GROUPS}?startIndex=1&count=100").json()
    assert page["totalResults"] == 1
    gone = {"op": "replace", "value": {"active": False}}
    assert scim.patch(f"{USERS}/{made['id']}", gone).json()["active"] is False
    assert "never kept" not in str(User.objects.get().password)
