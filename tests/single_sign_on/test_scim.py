"""SCIM: accounts that a provider makes, changes and closes, and roles by its groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from config.accounts.roles import role_changes
from config.accounts.single_sign_on.models import ProvisionedUser, ProvisioningToken
from config.models import RoleChange
from tests.factories import NOON, make_key
from tests.single_sign_on.conftest import Provider, who
from tests.single_sign_on.test_oidc import code_in, roles_of

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
USERS, GROUPS = "/scim/v2/Users", "/scim/v2/Groups"
SCIM = {"provider": "corp"}


class Scim:
    """A provider's client."""

    def __init__(self, token: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        said = json.dumps(body) if body is not None else ""
        return self._client.generic(method, path, said, content_type="application/scim+json")

    def user(self, name: str, **more: Any) -> dict[str, Any]:
        wanted = {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": f"{name}@corp.example",
            "externalId": f"id-of-{name}",
            "emails": [{"value": f"{name}@corp.example", "primary": True}],
            "active": True,
        }
        done = self.call("POST", USERS, wanted | more)
        assert done.status_code == 201, done.content
        found: dict[str, Any] = done.json()
        return found

    def group(self, name: str, *members: dict[str, Any]) -> dict[str, Any]:
        told = [{"value": one["id"]} for one in members]
        done = self.call("POST", GROUPS, {"displayName": name, "members": told})
        assert done.status_code == 201, done.content
        found: dict[str, Any] = done.json()
        return found

    def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
        return self.call("PATCH", path, {"schemas": [schema], "Operations": list(operations)})


@pytest.fixture
def token(capsys: pytest.CaptureFixture[str]) -> str:
    call_command("make_scim_token", "corp")
    return capsys.readouterr().out.strip()


@pytest.fixture
def scim(provider: Provider, token: str) -> Scim:
    """Of the provider `corp`, whose groups of SCIM give the roles."""
    provider.configure(roles_from="scim", top={"scim": SCIM})
    return Scim(token)


def test_a_user_is_made_found_changed_and_seen_again(scim: Scim) -> None:
    made = scim.user("nora", displayName="Nora")
    nora = User.objects.get()
    assert (nora.username, nora.email, nora.has_usable_password()) == (
        "nora", "nora@corp.example", False,
    )  # fmt: skip
    for query in (
        'userName eq "NORA@corp.example"',
        'externalId eq "id-of-nora"',
        'emails[type eq "work"].value eq "nora@corp.example"',
        f'id eq "{made["id"]}" and active eq true',
    ):
        found = scim.call("GET", f"{USERS}?filter={query}").json()
        assert [one["id"] for one in found["Resources"]] == [made["id"]], query
    scim.patch(f"{USERS}/{made['id']}", {"op": "Replace", "path": "displayName", "value": "N"})
    assert scim.call("GET", f"{USERS}/{made['id']}").json()["displayName"] == "N"


@pytest.mark.parametrize(
    "closing",
    [
        {"op": "replace", "path": "active", "value": False},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "value": {"active": False}},
    ],
)
def test_inactive_ends_sessions_and_keys_at_once(
    scim: Scim, as_user: AsUser, closing: dict[str, Any]
) -> None:
    made = scim.user("nora")
    nora = User.objects.get()
    browser, key = as_user(nora), make_key(nora, "read")
    done = scim.patch(f"{USERS}/{made['id']}", closing)
    assert done.json()["active"] is False
    assert browser.get("/studio/").status_code == 302
    bearer = {"Authorization": f"Bearer {key}"}
    assert Client().get("/api/v1/generations/", headers=bearer).status_code == 401
    row = RoleChange.objects.get()
    assert (row.kind, row.source, row.status) == ("close", "corp", "in_force")


def test_active_again_opens_what_the_provider_closed_and_brings_no_key_back(scim: Scim) -> None:
    made = scim.user("nora")
    key = make_key(User.objects.get(), "read")
    for active in (False, True):
        scim.patch(f"{USERS}/{made['id']}", {"op": "replace", "value": {"active": active}})
    assert User.objects.get().is_active
    bearer = {"Authorization": f"Bearer {key}"}
    assert Client().get("/api/v1/generations/", headers=bearer).status_code == 401


def test_what_people_closed_no_provider_opens(scim: Scim) -> None:
    made = scim.user("nora")
    role_changes.appoint(User.objects.get(), kind="close", role="", at=NOON)
    done = scim.patch(f"{USERS}/{made['id']}", {"op": "replace", "value": {"active": True}})
    assert done.json()["active"] is False
    assert not User.objects.get().is_active


def test_a_deleted_user_is_closed_and_the_same_again_by_its_external_id(scim: Scim) -> None:
    made = scim.user("nora")
    assert scim.call("DELETE", f"{USERS}/{made['id']}").status_code == 204
    assert scim.call("GET", f"{USERS}/{made['id']}").status_code == 404
    assert scim.call("GET", USERS).json()["totalResults"] == 0
    assert not User.objects.get().is_active
    assert scim.user("nora")["id"] == made["id"]
    assert User.objects.get().is_active


def test_groups_give_roles_and_take_them_with_their_members(scim: Scim, as_user: AsUser) -> None:
    made = scim.user("nora")
    group = scim.group("pf-moderators", made)
    assert roles_of("nora") == {"moderators"}
    browser = as_user(User.objects.get())
    gone = {"op": "remove", "path": f'members[value eq "{made["id"]}"]'}
    assert scim.patch(f"{GROUPS}/{group['id']}", gone).status_code == 200
    assert roles_of("nora") == set()
    assert browser.get("/studio/").status_code == 302
    come = {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
    scim.patch(f"{GROUPS}/{group['id']}", come)
    assert roles_of("nora") == {"moderators"}
    scim.patch(f"{GROUPS}/{group['id']}", {"op": "replace", "value": {"displayName": "others"}})
    assert roles_of("nora") == set()
    scim.patch(
        f"{GROUPS}/{group['id']}", {"op": "replace", "path": "displayName", "value": "pf-ops"}
    )
    assert User.objects.get().is_staff
    assert scim.call("DELETE", f"{GROUPS}/{group['id']}").status_code == 204
    assert roles_of("nora") == set()


def test_scim_and_sign_in_meet_by_the_providers_own_id(scim: Scim, provider: Provider) -> None:
    provider.configure(roles_from="scim", top={"scim": SCIM | {"subject": "oid"}}, sign_up="closed")
    scim.group("pf-moderators", scim.user("nora"))
    client = Client()
    provider.sign_in(client, "n0ra", oid="id-of-nora", groups=[], email="other@corp.example")
    assert who(client) == "nora"
    assert roles_of("nora") == {"moderators"}
    stranger = Client()
    done = provider.sign_in(stranger, "mallory", oid="id-of-nora", email="nora@corp.example")
    assert code_in(done) == "sign_on_no_account"
    assert who(stranger) == ""


def test_scim_sees_and_takes_over_no_account_that_it_did_not_make(scim: Scim, alice: User) -> None:
    assert scim.call("GET", USERS).json()["totalResults"] == 0
    assert scim.call("GET", f"{USERS}/{alice.pk}").status_code == 404
    taken = {"userName": "x", "emails": [{"value": "alice@example.org"}]}
    done = scim.call("POST", USERS, taken)
    assert (done.status_code, done.json()["scimType"]) == (409, "uniqueness")
    assert scim.user("alice", emails=[])["userName"] == "alice@corp.example"
    assert User.objects.get(pk=alice.pk).email == "alice@example.org"
    assert ProvisionedUser.objects.get().account.username != "alice"


def test_two_of_one_name_or_id_are_one_conflict(scim: Scim) -> None:
    scim.user("nora")
    for again in (
        {"userName": "NORA@corp.example"},
        {"userName": "other", "externalId": "id-of-nora"},
        {"userName": "other", "emails": [{"value": "Nora@corp.example"}]},
    ):
        assert scim.call("POST", USERS, again).status_code == 409
    scim.group("staff")
    assert scim.call("POST", GROUPS, {"displayName": "staff"}).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", USERS, []),
        ("POST", USERS, {}),
        ("POST", USERS, {"userName": ""}),
        ("POST", USERS, {"userName": {"a": 1}}),
        ("POST", USERS, {"userName": "x" * 5000}),
        ("POST", USERS, {"userName": "a\0b"}),
        ("POST", USERS, {"userName": "x", "active": "perhaps"}),
        ("POST", USERS, {"userName": "x", "emails": ["x@corp.example"]}),
        ("POST", USERS, {"userName": "x", "emails": [{"value": "no address"}]}),
        ("POST", GROUPS, {"members": []}),
        ("POST", GROUPS, {"displayName": "x", "members": [{"value": "nobody"}]}),
        ("POST", GROUPS, {"displayName": "x", "members": [{"value": str(uuid4())}]}),
        ("POST", GROUPS, {"displayName": "x", "members": "all"}),
        ("GET", f"{USERS}?filter=userName sw \"a\"", None),
        ("GET", f"{USERS}?filter=password eq \"a\"", None),
        ("GET", f"{USERS}?filter={'(' * 3000}", None),
        ("GET", f"{USERS}?filter=userName eq \"a\" or userName eq \"b\"", None),
        ("GET", f"{USERS}?startIndex=none", None),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_400_in_scims_own_form(
    scim: Scim, method: str, path: str, body: Any
) -> None:
    done = scim.call(method, path, body)
    assert done.status_code == 400
    assert done.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert not ProvisionedUser.objects.exists()


@pytest.mark.parametrize(
    "operations",
    [
        "none", [7], [{"op": "burn", "path": "active"}], [{"op": "replace", "value": 7}],
        [{"op": "remove"}], [{"op": "replace", "path": 7, "value": 7}],
        [{"op": "remove", "path": "userName"}],
        [{"op": "replace", "path": "active", "value": True}] * 101,
    ],
)  # fmt: skip
def test_a_patch_that_is_none_changes_nothing(scim: Scim, operations: Any) -> None:
    made = scim.user("nora")
    done = scim.call("PATCH", f"{USERS}/{made['id']}", {"Operations": operations})
    assert done.status_code == 400
    assert scim.call("GET", f"{USERS}/{made['id']}").json()["userName"] == "nora@corp.example"


def test_only_a_token_of_scim_opens_it(scim: Scim, token: str, olga: User, as_user: AsUser) -> None:
    for client in (Client(), as_user(olga), Client(headers={"Authorization": "Bearer ps_scim_x"})):
        done = client.get(USERS)
        assert (done.status_code, done["WWW-Authenticate"]) == (401, 'Bearer realm="scim"')
    key = {"Authorization": f"Bearer {make_key(olga)}"}
    assert Client().get(USERS, headers=key).status_code == 401
    bearer = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/v1/generations/", headers=bearer).status_code == 401
    assert token not in str(ProvisioningToken.objects.values())


def test_a_revoked_or_ended_token_opens_nothing(scim: Scim, token: str) -> None:
    call_command("make_scim_token", revoke=token[:12])
    assert scim.call("GET", USERS).status_code == 401
    with pytest.raises(CommandError):
        call_command("make_scim_token", revoke=token[:12])
    ProvisioningToken.objects.update(revoked_at=None, expires_at=NOON)
    assert scim.call("GET", USERS).status_code == 401


def test_pages_have_an_end(scim: Scim) -> None:
    for number in range(3):
        scim.user(f"n{number}")
    found = scim.call("GET", f"{USERS}?startIndex=2&count=1").json()
    assert (found["totalResults"], found["itemsPerPage"]) == (3, 1)
    assert scim.call("GET", f"{USERS}?count=1000000000").json()["itemsPerPage"] == 3
    assert scim.call("GET", f"{USERS}?count=-5").json()["itemsPerPage"] == 0
