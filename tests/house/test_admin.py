"""The admin: operators look after accounts and models, and decide nothing."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client, RequestFactory

from config.accounts.roles.role_permissions import PERMISSIONS
from config.models import ApiKey
from generation.models import Allowance
from tests.factories import make_key


def test_an_operator_opens_every_list_that_she_may_see(client: Client, olga: User) -> None:
    client.force_login(olga)
    page = client.get("/admin/").content.decode()
    assert "Proofsheet" in page
    seen = [model for model in admin.site._registry if f"/{model._meta.model_name}/" in page]
    assert len(seen) >= 10
    for model in seen:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert client.get(path).status_code == 200, path


def test_no_page_that_an_operator_sees_leads_to_one_that_she_may_not(
    olga: User, rf: RequestFactory
) -> None:
    """Where a row names another one that has a page here, Django links to it without asking."""
    request = rf.get("/")
    request.user = olga
    shown = [
        (model._meta.label, name, model._meta.get_field(name).related_model)
        for model, page in admin.site._registry.items()
        if page.has_view_permission(request)
        for name in page.get_fields(request)
        if name in {field.name for field in model._meta.fields if field.is_relation}
    ]
    assert len(shown) > 20
    closed = [
        (label, name)
        for label, name, related in shown
        if related in admin.site._registry
        and not admin.site._registry[related].has_view_permission(request)
    ]
    assert closed == []


@pytest.mark.parametrize("page", ["1", "9", "none", "-1", ""])
def test_the_search_for_a_list_finds_it_whatever_page_is_asked_for(
    client: Client, olga: User, page: str
) -> None:
    client.force_login(olga)
    found = client.get("/admin/search/", {"s": "Request", "extended": "1", "page": page})
    assert "/admin/generation/generationrequest/" in found.content.decode()
    assert client.get("/admin/search/", {"s": ""}).content == b""
    assert "generationrequest" not in client.get("/admin/search/", {"s": "zzz"}).content.decode()


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dora", "mallory"])
def test_nobody_else_enters(client: Client, who: str, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get("/admin/").status_code in {302, 403}


@pytest.mark.django_db
def test_the_admin_has_one_way_in(client: Client) -> None:
    answer = client.get("/admin/login/", follow=True)
    assert answer.request["PATH_INFO"] == "/accounts/login/"


def test_an_operator_changes_no_case_decision_appeal_or_entry(olga: User) -> None:
    guarded = [
        model._meta
        for app in ("generation", "moderation", "provenance")
        for model in apps.get_app_config(app).get_models()
    ]
    for meta in guarded:
        for verb in ("add", "change", "delete"):
            assert not olga.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}")


def test_every_model_of_review_and_log_is_read_only_even_for_a_superuser(rf: object) -> None:
    root = User(username="root", is_superuser=True, is_staff=True, is_active=True)

    class Request:
        user = root

    for model, entry in admin.site._registry.items():
        if model is Allowance:  # what an account may use is the operator's own setting
            continue
        if model._meta.app_label in {"generation", "moderation", "provenance"}:
            for verb in ("add", "change", "delete"):
                allowed = getattr(entry, f"has_{verb}_permission")(Request())
                assert not allowed, f"{verb} {model._meta.label}"


def test_an_operator_opens_an_account_whose_password_is_chosen_behind_a_mailed_link(
    client: Client, olga: User
) -> None:
    client.force_login(olga)
    client.post("/admin/auth/user/add/", {"username": "frank", "email": "frank@example.org"})
    frank = User.objects.get(username="frank")
    assert not frank.has_usable_password()
    [message] = mail.outbox
    assert message.to == ["frank@example.org"]
    assert "/accounts/password/reset/key/" in str(message.body)


def test_a_password_that_an_operator_sends_along_is_no_password(client: Client, olga: User) -> None:
    client.force_login(olga)
    word = "a long test password"
    form = {"username": "frank", "email": "frank@example.org", "usable_password": "true"}
    client.post("/admin/auth/user/add/", form | {"password1": word, "password2": word})
    assert not client.login(username="frank", password=word)


def test_an_account_with_the_address_of_another_is_not_opened(
    client: Client, olga: User, alice: User
) -> None:
    client.force_login(olga)
    form = {"username": "frank", "email": "Alice@example.org"}
    assert "has this address already" in client.post("/admin/auth/user/add/", form).content.decode()
    assert not User.objects.filter(username="frank").exists()


def test_an_account_with_an_address_for_a_name_is_not_opened(
    client: Client, olga: User, alice: User
) -> None:
    client.force_login(olga)
    form = {"username": "alice@example.org", "email": "frank@example.org"}
    assert "A name has no @." in client.post("/admin/auth/user/add/", form).content.decode()
    assert not User.objects.filter(email="frank@example.org").exists()


@pytest.mark.parametrize("is_superuser", [False, True])
def test_the_admin_sets_no_password_address_name_or_right(
    client: Client, olga: User, carol: User, is_superuser: bool
) -> None:
    """Of somebody else, whatever the form says, and there is no page for a password."""
    User.objects.filter(pk=olga.pk).update(is_superuser=is_superuser)
    client.force_login(olga)
    before = User.objects.values().get(pk=carol.pk)
    address = f"/admin/auth/user/{carol.pk}"
    word = "a long test password, hers now"
    for path in (f"{address}/password/", f"{address}/change/password/"):
        client.post(path, {"password1": word, "password2": word, "usable_password": "true"})
    form: dict[str, Any] = {
        "username": "other",
        "email": "olga@evil.example",
        "password": word,
        "is_active": "on",
    }
    form |= {"is_staff": "on", "is_superuser": "on", "groups": [_group("operators")]}
    form |= {"user_permissions": [1, 2, 3]}
    client.post(f"{address}/change/", form)
    assert User.objects.values().get(pk=carol.pk) == before
    carol.refresh_from_db()
    assert not carol.groups.filter(name="operators").exists()
    assert not carol.user_permissions.exists()
    page = client.get(f"{address}/change/").content.decode()
    assert 'type="password"' not in page
    assert f"{address}/password/" not in page


def test_an_operators_own_password_is_changed_where_everybodys_is(
    client: Client, olga: User
) -> None:
    client.force_login(olga)
    for answer in (client.get("/admin/password_change/"), client.post("/admin/password_change/")):
        assert answer["Location"] == "/accounts/password/change/"


def test_a_reset_link_goes_to_its_person_and_is_never_shown(
    client: Client, olga: User, carol: User
) -> None:
    client.force_login(olga)
    form = {"action": "mail_link", "_selected_action": [carol.pk]}
    page = client.post("/admin/auth/user/", form, follow=True).content.decode()
    [message] = mail.outbox
    assert message.to == ["carol@example.org"]
    link = re.search(r"/accounts/password/reset/key/\S+", str(message.body))
    assert link is not None
    assert "/accounts/password/reset/key/" not in page


def test_a_changed_address_is_told_to_the_old_one(client: Client, alice: User) -> None:
    """And takes the password again."""
    word = {"password": "a long test password"}
    client.post("/accounts/login/", {"login": "alice"} | word)
    EmailAddress.objects.update_or_create(
        user=alice, email="alice@example.org", defaults={"verified": True, "primary": True}
    )
    EmailAddress.objects.create(user=alice, email="new@example.org", verified=True)
    change = {"email": "new@example.org", "action_primary": ""}
    asked = client.post("/accounts/email/", change)
    assert "/accounts/reauthenticate/" in asked["Location"]
    client.post(asked["Location"], word)
    client.post("/accounts/email/", change)
    alice.refresh_from_db()
    assert alice.email == "new@example.org"
    assert ["alice@example.org"] in [message.to for message in mail.outbox]


def test_closing_an_account_ends_its_keys(client: Client, olga: User, alice: User) -> None:
    make_key(alice, "read")
    client.force_login(olga)
    client.post(f"/admin/auth/user/{alice.pk}/change/", {})
    alice.refresh_from_db()
    assert not alice.is_active
    assert ApiKey.objects.get().revoked_at is not None


def test_closing_an_account_signs_it_out_for_good(olga: User, alice: User) -> None:
    browser, operator = Client(), Client()
    browser.force_login(alice)
    operator.force_login(olga)
    address = f"/admin/auth/user/{alice.pk}/change/"
    for form, is_active in (({}, False), ({"is_active": "on"}, True)):
        operator.post(address, form)
        assert User.objects.get(pk=alice.pk).is_active is is_active
    assert browser.get("/account/").status_code == 302


@pytest.mark.parametrize("who", ["bob", "carol", "dora"])
@pytest.mark.parametrize("is_active", [True, False])
def test_an_operator_alone_closes_or_opens_nobody_with_a_role(
    client: Client, olga: User, who: str, is_active: bool, request: pytest.FixtureRequest
) -> None:
    account = request.getfixturevalue(who)
    User.objects.filter(pk=account.pk).update(is_active=is_active)
    client.force_login(olga)
    form = {} if is_active else {"is_active": "on"}
    client.post(f"/admin/auth/user/{account.pk}/change/", form)
    assert User.objects.get(pk=account.pk).is_active is is_active


def test_no_list_is_searched_by_a_column_that_it_does_not_offer(client: Client, olga: User) -> None:
    """By an address one could guess a prompt, an address or a password's hash letter by letter."""
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    client.force_login(olga)
    asked = 0
    for model, entry in admin.site._registry.items():
        filters: Any = entry.list_filter
        named = [one for one in filters if isinstance(one, str | tuple)]
        offered = {one if isinstance(one, str) else one[0] for one in named}
        offered |= {entry.date_hierarchy, "id"}
        for field in model._meta.concrete_fields:
            if field.name in offered or field.primary_key:
                continue
            path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            answer = client.get(path, {f"{field.name}__gt": "1"})
            assert answer.status_code == 400, f"{path}?{field.name}__gt"
            asked += 1
    assert asked > 100


def test_an_operator_gives_herself_nothing(client: Client, olga: User) -> None:
    client.force_login(olga)
    form = {"username": "olga", "is_active": "on", "groups": [_group("senior moderators")]}
    assert client.post(f"/admin/auth/user/{olga.pk}/change/", form).status_code == 403
    assert not User.objects.get(pk=olga.pk).has_perm("moderation.hear_appeals")


def _group(name: str) -> int:
    from django.contrib.auth.models import Group

    assert name in PERMISSIONS
    return int(Group.objects.get(name=name).pk)
