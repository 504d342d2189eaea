"""Signing in through OpenID Connect: who comes in, with which roles, and who never does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from config.accounts.roles import role_changes
from config.models import ApiKey, RoleChange
from provenance.models import LogEntry
from tests.factories import make_key
from tests.single_sign_on.conftest import LOGIN, Provider, come_back, who

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
DESK = "/review/"


def roles_of(name: str) -> set[str]:
    return set(User.objects.get(username=name).groups.values_list("name", flat=True))


def code_in(answer: Any) -> str:
    """The stable code on an error's page."""
    found = re.search(r'class="frame-number"><span>(\w+)<', answer.content.decode())
    return found[1] if found else ""


def test_a_sign_in_makes_an_account_with_the_roles_of_its_groups(provider: Provider) -> None:
    client = Client()
    done = provider.sign_in(client, "nora", groups=["pf-moderators", "canteen"])
    assert (done.status_code, done["Location"]) == (302, "/studio/")
    assert who(client) == "nora"
    assert roles_of("nora") == {"moderators"}
    nora = User.objects.get(username="nora")
    assert (nora.email, nora.has_usable_password()) == ("nora@corp.example", False)
    assert EmailAddress.objects.get(user=nora).verified
    assert client.get(DESK).status_code == 200


def test_what_the_provider_knows_besides_is_not_kept(provider: Provider) -> None:
    provider.sign_in(Client(), "nora", groups=["pf-staff"], birthdate="1990-01-01", name="Nora N")
    assert SocialAccount.objects.get().extra_data == {"username": "nora@corp.example"}
    nora = User.objects.get(username="nora")
    assert (nora.first_name, nora.last_name) == ("", "")


def test_the_next_sign_in_takes_the_role_away_and_ends_what_it_opened(provider: Provider) -> None:
    """Sessions everywhere, and keys that could do more than is left; a key for images stays."""
    elsewhere = Client()
    provider.sign_in(elsewhere, "nora", groups=["pf-moderators"])
    nora = User.objects.get(username="nora")
    review, own = make_key(nora, "review"), make_key(nora, "read", "generate")
    here = Client()
    provider.sign_in(here, "nora", groups=["canteen"])
    assert roles_of("nora") == set()
    assert who(here) == "nora"
    assert here.get(DESK).status_code == 403
    assert elsewhere.get("/studio/").status_code == 302  # to the sign-in page
    assert Session.objects.count() == 1
    bearer = [{"Authorization": f"Bearer {key}"} for key in (review, own)]
    answers = [Client().get("/api/v1/generations/", headers=one).status_code for one in bearer]
    assert answers == [401, 200]


def test_whoever_signs_in_again_in_the_same_browser_loses_the_role_too(provider: Provider) -> None:
    client = Client()
    provider.sign_in(client, "nora", groups=["pf-moderators"])
    done = provider.sign_in(client, "nora", groups=[])
    assert done.status_code == 302
    assert who(client) == "nora"
    assert client.get(DESK).status_code == 403


def test_every_change_is_kept_logged_and_names_its_provider(provider: Provider) -> None:
    for groups in (["pf-moderators"], ["pf-moderators"], []):
        provider.sign_in(Client(), "nora", groups=groups)
    rows = RoleChange.objects.order_by("decided_at")
    told = [(row.kind, row.role, row.status, row.source, row.asked_by) for row in rows]
    assert told == [
        ("give", "moderators", "in_force", "corp", None),
        ("take", "moderators", "in_force", "corp", None),
    ]
    entries = LogEntry.objects.filter(kind="account.provided_role")
    assert {entry.subject for entry in entries} == {row.id for row in rows}
    assert not LogEntry.objects.filter(kind="account.role").exists()
    assert b"nora" not in b"".join(bytes(entry.body) for entry in entries)


def test_a_role_that_people_gave_is_not_the_providers_to_take(
    provider: Provider, olga: User
) -> None:
    provider.sign_in(Client(), "nora", groups=[])
    nora = User.objects.get(username="nora")
    role_changes.appoint(nora, kind="give", role="compliance", at=timezone.now())
    role_changes.appoint(nora, kind="give", role="moderators", at=timezone.now())
    provider.sign_in(Client(), "nora", groups=["pf-moderators"])
    provider.sign_in(Client(), "nora", groups=[])
    assert roles_of("nora") == {"compliance", "moderators"}


def test_a_role_that_people_took_the_provider_does_not_give_again(provider: Provider) -> None:
    provider.sign_in(Client(), "nora", groups=["pf-moderators"])
    nora = User.objects.get(username="nora")
    role_changes.appoint(nora, kind="take", role="moderators", at=timezone.now())
    client = Client()
    provider.sign_in(client, "nora", groups=["pf-moderators"])
    assert roles_of("nora") == set()
    assert "cannot have here: moderators" in client.get("/studio/").content.decode()


def test_nobody_gets_the_machines_and_the_cases(provider: Provider) -> None:
    client = Client()
    provider.sign_in(client, "nora", groups=["pf-ops", "pf-moderators"])
    assert roles_of("nora") == set()
    provider.sign_in(client, "otto", groups=["pf-ops"])
    provider.sign_in(client, "otto", groups=["pf-ops", "pf-moderators"])
    assert roles_of("otto") == {"operators"}
    assert User.objects.get(username="otto").is_staff


def test_a_group_that_nobody_mapped_gives_nothing_even_if_it_has_a_roles_name(
    provider: Provider,
) -> None:
    provider.sign_in(Client(), "nora", groups=["operators", "moderators", "senior moderators"])
    assert roles_of("nora") == set()


@pytest.mark.parametrize(
    "overage",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "x"}}},
        {"hasgroups": True},
        {"groups": ["pf-moderators"], "_claim_names": {"groups": "src1"}},
        {"groups": ["pf-moderators", *(f"g{number}" for number in range(2100))]},
        {"groups": {"pf-moderators": True}},
        {"groups": ["pf-moderators", 7]},
    ],
)
def test_groups_that_were_left_out_give_nothing_and_take_what_was_given(
    provider: Provider, overage: dict[str, Any]
) -> None:
    provider.sign_in(Client(), "nora", groups=["pf-moderators"])
    provider.knows("nora", **overage)
    client = Client()
    come_back(client, provider.redirected(client, "nora"))
    assert roles_of("nora") == set()
    assert "more groups than the identity provider sends" in client.get("/studio/").content.decode()


@pytest.mark.parametrize("is_verified", [True, False])
def test_a_provider_that_lies_about_an_address_enters_nobodys_account(
    provider: Provider, alice: User, is_verified: bool
) -> None:
    """alice@example.org is alice's; a provider that lets everybody in says it of mallory."""
    provider.configure(domains=["corp.example", "example.org"])
    client = Client()
    done = provider.sign_in(
        client, "mallory", email="alice@example.org", email_verified=is_verified,
        preferred_username="alice",
    )  # fmt: skip
    assert who(client) == ""
    assert not SocialAccount.objects.exists()
    assert User.objects.filter(email="alice@example.org").count() == 1
    if is_verified:
        assert (done.status_code, code_in(done)) == (409, "sign_on_address_taken")


def test_a_lie_about_the_address_changes_no_account_that_came_before(
    provider: Provider, alice: User
) -> None:
    provider.sign_in(Client(), "nora")
    client = Client()
    provider.sign_in(client, "nora", email="alice@example.org", email_verified=True)
    assert who(client) == "nora"
    assert User.objects.get(username="nora").email == "nora@corp.example"


def test_a_name_that_somebody_has_becomes_another_one(provider: Provider, alice: User) -> None:
    client = Client()
    provider.sign_in(client, "a1", preferred_username="alice", email="a1@corp.example")
    assert who(client) not in {"", "alice"}
    assert "@" not in who(client)


@pytest.mark.parametrize(
    ("rules", "claims", "code"),
    [
        ({"sign_up": "closed"}, {"groups": ["pf-moderators"]}, "sign_on_no_account"),
        ({"sign_up": "mapped"}, {"groups": ["canteen"]}, "sign_on_no_account"),
        ({"sign_up": "mapped"}, {"hasgroups": True}, "sign_on_groups_left_out"),
        ({}, {"email": "nora@elsewhere.example"}, "sign_on_address_missing"),
        ({}, {"email": "nora@sub.corp.example"}, "sign_on_address_missing"),
        ({}, {"email": "nora@corp.example.evil.example"}, "sign_on_address_missing"),
        ({}, {"email_verified": False}, "sign_on_address_missing"),
        ({}, {"email_verified": "true"}, "sign_on_address_missing"),
        ({}, {"email": ""}, "sign_on_address_missing"),
        ({}, {"email": ["a@corp.example", "b@corp.example"]}, "sign_on_address_missing"),
    ],
)
def test_who_may_not_have_an_account_gets_none_and_is_told_why(
    provider: Provider, rules: dict[str, Any], claims: dict[str, Any], code: str
) -> None:
    provider.configure(**rules)
    client = Client()
    done = provider.sign_in(client, "nora", **claims)
    assert (done.status_code, code_in(done)) == (403, code)
    assert who(client) == ""
    assert not User.objects.exists()


def test_a_mapped_group_without_a_role_opens_the_house_and_nothing_else(
    provider: Provider,
) -> None:
    """`pf-staff = []` in the file."""
    provider.configure(sign_up="mapped")
    client = Client()
    provider.sign_in(client, "nora", groups=["pf-staff"])
    assert who(client) == "nora"
    assert roles_of("nora") == set()


def test_another_provider_id_is_another_key_and_opens_no_account(provider: Provider) -> None:
    """Renaming `id` strands accounts; it never hands one over."""
    provider.sign_in(Client(), "nora", groups=["pf-moderators"])
    provider.configure(id="corporation")
    client = Client()
    done = come_back(
        client,
        provider.redirected(client, "nora", login="/accounts/oidc/corporation/login/"),
    )
    assert (done.status_code, code_in(done)) == (409, "sign_on_address_taken")
    assert who(client) == ""
    assert User.objects.count() == 1


def test_an_answer_works_once_in_the_browser_that_asked(provider: Provider) -> None:
    client = Client()
    provider.knows("nora")
    back = provider.redirected(client, "nora")
    stranger = come_back(Client(), back)
    assert (stranger.status_code, code_in(stranger)) == (401, "sign_on_failed")
    assert come_back(client, back).status_code == 302
    for again in (client, Client()):
        done = come_back(again, back)
        assert (done.status_code, code_in(done)) == (401, "sign_on_failed")


@pytest.mark.parametrize(
    "changed", [{"state": "x" * 16}, {"code": "stolen"}, {"iss": "https://evil.example"}]
)
def test_an_answer_that_was_changed_lets_nobody_in(
    provider: Provider, changed: dict[str, str]
) -> None:
    client = Client()
    provider.knows("nora")
    done = come_back(client, provider.redirected(client, "nora"), **changed)
    assert (done.status_code, code_in(done)) == (401, "sign_on_failed")
    assert who(client) == ""
    assert not User.objects.exists()


def test_a_code_of_another_sign_in_has_another_nonce(provider: Provider) -> None:
    """Mallory's browser asked; the code is nora's, stolen on its way back to hers."""
    hers, mallorys = Client(), Client()
    provider.knows("nora")
    stolen = re.search(r"code=([^&]+)", provider.redirected(hers, "nora"))
    assert stolen is not None
    done = come_back(mallorys, provider.redirected(mallorys, "mallory"), code=stolen[1])
    assert (done.status_code, code_in(done)) == (401, "sign_on_failed")
    assert who(mallorys) == ""


def test_a_person_who_says_no_is_told_so(provider: Provider) -> None:
    client = Client()
    provider.knows("nora")
    back = provider.redirected(client, "nora")
    state = re.search(r"state=([^&]+)", back)
    assert state is not None
    done = client.get(f"{LOGIN}callback/", {"error": "access_denied", "state": state[1]})
    assert (done.status_code, code_in(done)) == (401, "sign_on_cancelled")


def test_a_provider_that_is_away_is_one_sentence(provider: Provider) -> None:
    provider.configure(issuer="http://localhost:1")
    done = Client().post(LOGIN)
    assert (done.status_code, code_in(done)) == (503, "sign_on_provider_away")
    assert "Corp cannot be reached for signing in" in done.content.decode()


def test_a_provider_that_goes_away_in_between_is_the_same_sentence(provider: Provider) -> None:
    client = Client()
    provider.knows("nora")
    back = provider.redirected(client, "nora")
    provider.configure(issuer="http://localhost:1")
    done = come_back(client, back)
    assert (done.status_code, code_in(done)) == (503, "sign_on_provider_away")


def test_an_issuer_that_says_another_name_of_itself_is_not_believed(provider: Provider) -> None:
    provider.configure(issuer=provider.issuer.replace("localhost", "127.0.0.1") + "/./")
    done = Client().post(LOGIN)
    assert (done.status_code, code_in(done)) == (503, "sign_on_provider_away")


def test_a_link_alone_starts_nothing_and_adds_nothing_to_what_is_asked(provider: Provider) -> None:
    client = Client()
    assert "Sign in with Corp" in client.get(LOGIN).content.decode()
    page = client.post(f"{LOGIN}?scope=admin&auth_params=nonce%3Dmine%26prompt%3Dnone")
    asked = page.content.decode()
    assert not {"admin", "mine", "prompt"} & set(re.findall(r"\w+", asked))


def test_two_accounts_are_connected_by_who_has_just_proved_both(
    provider: Provider, alice: User, as_user: AsUser
) -> None:
    client = as_user(alice)
    provider.knows("nora")
    done = come_back(client, provider.redirected(client, "nora", login=f"{LOGIN}?process=connect"))
    assert done["Location"] == "/accounts/reauthenticate/"
    assert not SocialAccount.objects.exists()
    done = client.post(done["Location"], {"password": "a long test password"})
    assert done["Location"] == "/accounts/3rdparty/"
    assert "nora@corp.example" in client.get("/accounts/3rdparty/").content.decode()
    other = Client()
    come_back(other, provider.redirected(other, "nora"))
    assert who(other) == "alice"


def test_a_session_of_a_provider_ends_after_its_hours(provider: Provider) -> None:
    provider.configure(session_hours=3)
    client = Client()
    provider.sign_in(client, "nora")
    assert 3 * 3600 - 120 < client.session.get_expiry_age() <= 3 * 3600


@pytest.mark.parametrize(
    ("counted", "amr", "opens"),
    [(["mfa"], ["pwd", "mfa"], True), (["mfa"], ["pwd"], False), ([], ["pwd", "mfa"], False)],
)
def test_the_providers_second_factor_counts_only_where_the_file_says_so(
    provider: Provider, settings: Settings, counted: list[str], amr: list[str], opens: bool
) -> None:
    settings.PROOFSHEET_SECOND_FACTOR = True
    provider.configure(second_factor=counted)
    client = Client()
    provider.sign_in(client, "nora", groups=["pf-moderators"], amr=amr)
    answer = client.get(DESK)
    assert answer.status_code == (200 if opens else 302)
    if not opens:
        assert answer["Location"].startswith("/accounts/2fa/")


def test_who_came_through_a_provider_gets_no_password(
    provider: Provider, mailoutbox: list[Any]
) -> None:
    """It would let them in after the provider has closed their account."""
    client = Client()
    provider.sign_in(client, "nora")
    words = {"password1": "a long test password", "password2": "a long test password"}
    done = client.post("/accounts/password/set/", words)
    assert done.status_code == 200
    assert not User.objects.get(username="nora").has_usable_password()
    Client().post("/accounts/password/reset/", {"email": "nora@corp.example"})
    assert [mail.subject for mail in mailoutbox][-1].endswith("Your account has no password")
    assert "/password/reset/key/" not in mailoutbox[-1].body


def test_keys_of_a_role_that_is_lost_are_ended_and_others_stay(provider: Provider) -> None:
    provider.sign_in(Client(), "otto", groups=["pf-ops"])
    otto = User.objects.get(username="otto")
    make_key(otto, "operate")
    make_key(otto, "read")
    provider.sign_in(Client(), "otto", groups=[])
    left = ApiKey.objects.filter(revoked_at=None)
    assert [row.scopes for row in left] == [["read"]]
    assert not User.objects.get(username="otto").is_staff


def test_without_a_provider_everything_is_as_it_was(client: Client, alice: User) -> None:
    assert "with a password" not in client.get("/accounts/login/").content.decode()
    for path in (LOGIN, f"{LOGIN}callback/", "/accounts/saml/corp/login/", "/scim/v2/Users"):
        assert client.get(path).status_code == 404
    client.force_login(alice)
    assert client.get("/accounts/3rdparty/").status_code == 404
