"""Signing in by SAML: signed throughout, asked for, and once."""

from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.test import Client

from tests.single_sign_on.conftest import ROLES, Told, who
from tests.single_sign_on.saml_idp import ENTITY, SSO, SamlProvider, key_and_certificate
from tests.single_sign_on.test_oidc import code_in, roles_of

pytestmark = pytest.mark.django_db
PLACE = "/accounts/saml/corp"
EMAIL, GROUPS = "email", "groups"


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_and_certificate()


@pytest.fixture
def idp(keys: tuple[str, str], tell: Told, tmp_path: Path, roles: dict[str, Group]) -> SamlProvider:
    certificate = tmp_path / "idp.pem"
    certificate.write_text(keys[1])
    said = {
        "id": "corp",
        "kind": "saml",
        "name": "Corp",
        "entity_id": ENTITY,
        "sso_url": SSO,
        "certificate_file": str(certificate),
        "roles": ROLES,
        "domains": ["corp.example"],
        "email_trusted": True,
        "sign_up": "open",
    }
    tell(provider=[said])
    return SamlProvider(*keys)


def asked(client: Client) -> str:
    """The address that the sign-in page leaves for."""
    page = client.post(f"{PLACE}/login/").content.decode()
    away = re.search(rf'href="({re.escape(SSO)}[^"]+)"', page)
    assert away is not None, page
    return unescape(away[1])


def posted(client: Client, response: str) -> Any:
    """The provider's form posts from another origin, then the browser follows."""
    done = client.post(f"{PLACE}/acs/", {"SAMLResponse": response, "RelayState": ""})
    return client.get(done["Location"]) if done.status_code == 302 else done


def sign_in(client: Client, idp: SamlProvider, uid: str = "n0ra", **attributes: Any) -> Any:
    said = {EMAIL: "nora@corp.example", GROUPS: ["pf-moderators"]} | attributes
    return posted(client, idp.answer(asked(client), uid, **said))


def test_groups_give_a_role_and_the_next_sign_in_takes_it(idp: SamlProvider) -> None:
    client = Client()
    done = sign_in(client, idp)
    assert (done.status_code, done["Location"]) == (302, "/studio/")
    assert roles_of(who(client)) == {"moderators"}
    other = Client()
    sign_in(other, idp, groups=["canteen"])
    assert who(other) == "nora"
    assert roles_of("nora") == set()
    assert client.get("/studio/").status_code == 302


@pytest.mark.parametrize(
    "spoilt",
    [
        {"signs": ()},
        {"signs": ("assertion",)},
        {"signs": ("message",)},
        {"changed_after_signing": {"n0ra": "0tto"}},
        {"changed_after_signing": {"canteen": "pf-moderators"}},
        {"audience": "https://another.example/"},
        {"destination": "https://another.example/accounts/saml/corp/acs/"},
        {"ends_in_s": -600},
        {"in_response_to": ""},
        {"in_response_to": "id-of-somebody-elses-request"},
        {"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
    ],
    ids=str,
)
def test_a_response_that_is_not_wholly_signed_or_not_asked_for_lets_nobody_in(
    idp: SamlProvider, spoilt: dict[str, Any]
) -> None:
    for name, value in spoilt.items():
        setattr(idp, name, value)
    client = Client()
    done = sign_in(client, idp, groups=["canteen"])
    assert (done.status_code, code_in(done)) == (401, "sign_on_failed")
    assert who(client) == ""
    assert not User.objects.exists()


def test_a_response_works_once_and_in_the_browser_that_asked(idp: SamlProvider) -> None:
    client, stranger = Client(), Client()
    response = idp.answer(asked(client), "n0ra", email="nora@corp.example")
    assert code_in(posted(stranger, response)) == "sign_on_failed"
    assert posted(client, response).status_code == 302
    assert code_in(posted(client, response)) == "sign_on_failed"
    assert who(stranger) == ""


def test_another_key_signs_for_nobody(idp: SamlProvider) -> None:
    idp.key, idp.certificate = key_and_certificate()
    client = Client()
    assert code_in(sign_in(client, idp)) == "sign_on_failed"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not base64",
        base64.b64encode(b"no xml").decode(),
        base64.b64encode(b"<a/>").decode(),
        base64.b64encode(
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
        ).decode(),
        "A" * 300_000,
    ],
    ids=["empty", "no base64", "no xml", "another root", "an entity", "too long"],
)
def test_what_is_no_response_is_one_sentence_and_leaves_nothing_behind(
    idp: SamlProvider, body: str
) -> None:
    done = Client().post(f"{PLACE}/acs/", {"SAMLResponse": body})
    assert (done.status_code, code_in(done)) == (401, "sign_on_failed")
    assert not Session.objects.exists()


def test_an_address_opens_nobodys_account(idp: SamlProvider, alice: User, tell: Told) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@corp.example")
    client = Client()
    done = sign_in(client, idp, email="alice@corp.example")
    assert (done.status_code, code_in(done)) == (409, "sign_on_address_taken")
    assert who(client) == ""


def test_entras_link_in_place_of_groups_gives_none(idp: SamlProvider) -> None:
    link = {"http://schemas.microsoft.com/claims/groups.link": "https://graph.example/me"}
    client = Client()
    sign_in(client, idp, **link)
    assert roles_of(who(client)) == set()


def test_the_metadata_name_where_responses_go_and_want_them_signed(idp: SamlProvider) -> None:
    told = Client().get(f"{PLACE}/metadata/").content.decode()
    assert "http://testserver/accounts/saml/corp/acs/" in told
    assert 'WantAssertionsSigned="true"' in told
    assert "SingleLogoutService" not in told
    assert Client().get(f"{PLACE}/sls/").status_code == 404
