"""The admin: operators look after accounts and models, and decide nothing."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from config.roles import PERMISSIONS
from generation.models import Allowance


def test_an_operator_opens_every_list_that_she_may_see(client: Client, olga: User) -> None:
    client.force_login(olga)
    page = client.get("/admin/").content.decode()
    assert "Proofsheet" in page
    seen = [model for model in admin.site._registry if f"/{model._meta.model_name}/" in page]
    assert len(seen) >= 10
    for model in seen:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert client.get(path).status_code == 200, path


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


def test_an_operator_opens_an_account_and_gives_it_a_role(client: Client, olga: User) -> None:
    client.force_login(olga)
    word = "a long test password"
    form = {"username": "frank", "password1": word, "password2": word, "usable_password": "true"}
    client.post("/admin/auth/user/add/", form)
    frank = User.objects.get(username="frank")
    role = {"username": "frank", "is_active": "on", "groups": [_group("moderators")]}
    client.post(f"/admin/auth/user/{frank.pk}/change/", role)
    assert User.objects.get(pk=frank.pk).has_perm("moderation.review_cases")


def test_an_operator_gives_herself_nothing(client: Client, olga: User) -> None:
    client.force_login(olga)
    form = {"username": "olga", "is_active": "on", "groups": [_group("senior moderators")]}
    assert client.post(f"/admin/auth/user/{olga.pk}/change/", form).status_code == 403
    assert not User.objects.get(pk=olga.pk).has_perm("moderation.hear_appeals")


def test_an_operator_makes_no_superuser(client: Client, olga: User, mallory: User) -> None:
    client.force_login(olga)
    form = {"username": "mallory", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client.post(f"/admin/auth/user/{mallory.pk}/change/", form)
    mallory.refresh_from_db()
    assert mallory.is_staff
    assert not mallory.is_superuser


def _group(name: str) -> int:
    from django.contrib.auth.models import Group

    assert name in PERMISSIONS
    return int(Group.objects.get(name=name).pk)
