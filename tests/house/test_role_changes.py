"""Roles are given and taken by two people, told to their person, and logged without names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from config.accounts.roles import role_changes, role_mails
from config.models import ApiKey, RoleChange
from provenance.log.formats import canonical_json
from provenance.models import LogEntry
from tests.factories import make_key
from tests.moderation.makers import prompt_case

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]


def asked(account: User, by: User, role: str = "moderators", kind: str = "give") -> RoleChange:
    return role_changes.ask(account, kind=kind, role=role, by=by, at=timezone.now())


def holds(account: User, right: str = "moderation.review_cases") -> bool:
    return User.objects.get(pk=account.pk).has_perm(right)


def test_a_role_waits_for_a_second_person(mallory: User, olga: User, carol: User) -> None:
    row = asked(mallory, by=olga)
    assert not holds(mallory)
    role_changes.confirm(row.id, by=carol, at=timezone.now())
    assert holds(mallory)


def test_a_role_is_taken_by_two_as_well(bob: User, olga: User, carol: User) -> None:
    row = asked(bob, by=carol, kind="take")
    assert holds(bob)
    role_changes.confirm(row.id, by=olga, at=timezone.now())
    assert not holds(bob)


def test_an_operator_alone_makes_no_reader_of_cases(
    olga: User, alice: User, as_user: AsUser
) -> None:
    """With as many accounts as she likes, over every address of the page and the admin."""
    client, case = as_user(olga), prompt_case(alice)
    client.post("/admin/auth/user/add/", {"username": "frank", "email": "frank@example.org"})
    frank = User.objects.get(username="frank")
    for account in (frank, olga):
        for role in ("moderators", "senior moderators", "operators"):
            client.post("/roles/ask/", {"account": account.username, "kind": "give", "role": role})
            for row in RoleChange.objects.all():
                client.post(f"/roles/{row.id}/confirm/")
                as_user(frank).post(f"/roles/{row.id}/confirm/")
    for account in (frank, olga):
        assert not holds(account)
        assert not holds(account, "moderation.hear_appeals")
        assert as_user(account).get(f"/review/cases/{case.id}/").status_code in {403, 404}
    assert not RoleChange.objects.filter(status="in_force").exists()


def test_nobody_confirms_what_they_asked_for_or_their_own_role(
    mallory: User, olga: User, carol: User
) -> None:
    row = asked(mallory, by=olga)
    with pytest.raises(role_changes.NeedsAnotherPerson):
        role_changes.confirm(row.id, by=olga, at=timezone.now())
    own = asked(carol, by=olga, role="operators")
    with pytest.raises(role_changes.NeedsAnotherPerson):
        role_changes.confirm(own.id, by=carol, at=timezone.now())
    with pytest.raises(role_changes.NeedsAnotherPerson):
        asked(olga, by=olga)


@pytest.mark.parametrize("who", ["alice", "bob", "dora", "mallory"])
def test_nobody_else_asks_confirms_or_looks(
    who: str, olga: User, carol: User, as_user: AsUser, request: pytest.FixtureRequest
) -> None:
    someone = request.getfixturevalue(who)
    row = asked(carol, by=olga, role="operators")
    client = as_user(someone)
    assert client.get("/roles/").status_code == 403
    form = {"account": "carol", "kind": "give", "role": "compliance"}
    assert client.post("/roles/ask/", form).status_code == 403
    assert client.post(f"/roles/{row.id}/confirm/").status_code == 403
    assert client.post(f"/roles/{row.id}/decline/").status_code == 403
    assert RoleChange.objects.get().status == "waiting"


def test_the_database_refuses_one_person_for_two(mallory: User, olga: User) -> None:
    row = asked(mallory, by=olga)
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleChange.objects.filter(pk=row.pk).update(
            status="in_force", decided_by=olga, decided_at=timezone.now()
        )


def test_operators_enter_the_admin_with_the_role_and_leave_with_it(
    mallory: User, olga: User, carol: User, as_user: AsUser
) -> None:
    row = asked(mallory, by=olga, role="operators")
    role_changes.confirm(row.id, by=carol, at=timezone.now())
    assert as_user(mallory).get("/admin/").status_code == 200
    row = asked(mallory, by=olga, role="operators", kind="take")
    role_changes.confirm(row.id, by=carol, at=timezone.now())
    assert as_user(mallory).get("/admin/").status_code == 302


def test_its_person_is_told_when_it_is_asked_for_and_when_it_holds(
    mallory: User, olga: User, carol: User
) -> None:
    row = asked(mallory, by=olga)
    role_mails.mail(row.id)
    role_changes.confirm(row.id, by=carol, at=timezone.now())
    role_mails.mail(row.id)
    first, second = mail.outbox
    assert first.to == second.to == ["mallory@example.org"]
    assert "olga asked to give the role “moderators”" in str(first.body)
    assert "carol confirmed it" in str(second.body)


def test_the_log_says_that_it_was_done_and_not_by_whom(
    mallory: User, olga: User, carol: User
) -> None:
    row = asked(mallory, by=olga)
    assert not LogEntry.objects.filter(kind="account.role").exists()
    role_changes.confirm(row.id, by=carol, at=timezone.now())
    entry = LogEntry.objects.get(kind="account.role")
    body = canonical_json.decode(bytes(entry.body))["body"]
    assert (entry.subject, body["change"], body["role"]) == (row.id, "give", "moderators")
    assert set(body["commitments"]) == {"account", "asked_by", "by"}
    for word in (b"mallory", b"olga", b"carol"):
        assert word not in bytes(entry.body)


def test_what_waits_longer_than_a_week_lapses(mallory: User, olga: User, carol: User) -> None:
    row = asked(mallory, by=olga)
    later = timezone.now() + role_changes.LIFETIME + timedelta(seconds=1)
    with pytest.raises(role_changes.ChangeNotFound):
        role_changes.confirm(row.id, by=carol, at=later)
    again = role_changes.ask(mallory, kind="give", role="moderators", by=olga, at=later)
    role_changes.confirm(again.id, by=carol, at=later)
    assert holds(mallory)


def test_what_is_so_already_or_waits_already_is_not_asked_for(
    bob: User, mallory: User, olga: User, carol: User
) -> None:
    asked(mallory, by=olga)
    for account, role, kind in [
        (mallory, "moderators", "give"),
        (bob, "moderators", "give"),
        (mallory, "compliance", "take"),
        (mallory, "no such role", "give"),
    ]:
        with pytest.raises(role_changes.NothingToChange):
            asked(account, by=carol, role=role, kind=kind)


def test_a_declined_change_is_not_confirmed(mallory: User, olga: User, carol: User) -> None:
    row = asked(mallory, by=olga)
    role_changes.decline(row.id, by=carol, at=timezone.now())
    with pytest.raises(role_changes.ChangeNotFound):
        role_changes.confirm(row.id, by=carol, at=timezone.now())


@pytest.mark.parametrize("kind", ["take", "close"])
def test_nobody_declines_what_takes_their_own_role(
    kind: str, carol: User, olga: User, mallory: User, as_user: AsUser
) -> None:
    call_command("appoint", "mallory", "operators")
    role = "senior moderators" if kind == "take" else ""
    row = asked(carol, by=olga, role=role, kind=kind)
    with pytest.raises(role_changes.NeedsAnotherPerson):
        role_changes.decline(row.id, by=carol, at=timezone.now())
    assert f"/roles/{row.id}/decline/" not in as_user(carol).get("/roles/").content.decode()
    assert f"/roles/{row.id}/decline/" in as_user(olga).get("/roles/").content.decode()
    other = User.objects.get(pk=mallory.pk)
    role_changes.confirm(row.id, by=other, at=timezone.now())
    assert not holds(carol, "house.change_roles")


def test_ones_own_second_factor_one_may_keep(carol: User, olga: User) -> None:
    Authenticator.objects.create(user=carol, type="totp", data={"secret": "x"})
    row = asked(carol, by=olga, role="", kind="second_factor")
    role_changes.decline(row.id, by=carol, at=timezone.now())
    assert Authenticator.objects.filter(user=carol).exists()


def test_an_account_with_a_role_is_closed_and_opened_by_two(
    bob: User, olga: User, carol: User, as_user: AsUser
) -> None:
    make_key(bob, "review")
    browser = as_user(bob)
    for kind, is_active in (("close", False), ("open", True)):
        form = {"account": "bob", "kind": kind, "role": ""}
        page: Any = as_user(olga).post("/roles/ask/", form, follow=True)
        assert "Somebody else confirms this one." in page.content.decode()
        assert User.objects.get(pk=bob.pk).is_active is not is_active
        row = RoleChange.objects.get(status="waiting")
        as_user(carol).post(f"/roles/{row.id}/confirm/")
        assert User.objects.get(pk=bob.pk).is_active is is_active
        again = as_user(olga).post("/roles/ask/", form)
        assert again.status_code in {400, 409}
    assert browser.get("/account/").status_code == 302
    assert ApiKey.objects.get().revoked_at is not None
    assert LogEntry.objects.filter(kind="account.role").count() == 2


def test_a_lost_second_factor_is_taken_off_by_two(bob: User, olga: User, carol: User) -> None:
    Authenticator.objects.create(user=bob, type="totp", data={"secret": "x"})
    make_key(bob, "review")
    row = asked(bob, by=olga, role="", kind="second_factor")
    assert Authenticator.objects.filter(user=bob).exists()
    role_changes.confirm(row.id, by=carol, at=timezone.now())
    assert not Authenticator.objects.filter(user=bob).exists()
    assert ApiKey.objects.get().revoked_at is not None


def test_taking_a_second_factor_off_signs_its_person_out_everywhere(
    alice: User, bob: User, olga: User, carol: User, as_user: AsUser
) -> None:
    Authenticator.objects.create(user=bob, type="totp", data={"secret": "x"})
    browsers, other = [as_user(bob), as_user(bob)], as_user(alice)
    assert all(browser.get("/account/").status_code == 200 for browser in browsers)
    row = asked(bob, by=olga, role="", kind="second_factor")
    role_changes.confirm(row.id, by=carol, at=timezone.now())
    assert [browser.get("/account/").status_code for browser in browsers] == [302, 302]
    assert other.get("/account/").status_code == 200


def test_the_page_leads_through_it(mallory: User, olga: User, carol: User, as_user: AsUser) -> None:
    form = {"account": "mallory", "kind": "give", "role": "moderators"}
    page: Any = as_user(olga).post("/roles/ask/", form, follow=True)
    assert "Somebody else confirms this one." in page.content.decode()
    row = RoleChange.objects.get()
    page = as_user(carol).get("/roles/").content.decode()
    assert f"/roles/{row.id}/confirm/" in page
    as_user(carol).post(f"/roles/{row.id}/confirm/")
    assert holds(mallory)


@pytest.mark.parametrize(
    "form",
    [
        {"account": "nobody", "kind": "give", "role": "moderators"},
        {"account": "mallory", "kind": "give", "role": ""},
        {"account": "mallory", "kind": "steal", "role": "moderators"},
    ],
)
def test_a_wrong_form_says_why(
    form: dict[str, str], mallory: User, olga: User, as_user: AsUser
) -> None:
    answer = as_user(olga).post("/roles/ask/", form)
    assert answer.status_code == 400
    assert 'class="error"' in answer.content.decode()


def test_a_shell_appoints_the_first_people_and_the_log_tells(mallory: User) -> None:
    call_command("appoint", "mallory", "operators")
    assert User.objects.get(pk=mallory.pk).is_staff
    assert LogEntry.objects.filter(kind="account.role").count() == 1
