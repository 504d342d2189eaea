"""Whom a project serves: known by a digest, made once, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory

from config.core.projects import calling, end_users, personal
from config.core.projects.models import EndUser, Membership, Project
from tests.factories import NOON


def test_a_person_has_one_own_project_and_owns_it(alice: User) -> None:
    mine = personal.project_of(alice)
    assert personal.project_of(alice) == mine
    assert mine.personal_of == alice
    assert [(row.user, row.role) for row in mine.memberships.all()] == [(alice, "owner")]


def test_the_claimed_id_is_nowhere(alice: User) -> None:
    mine = personal.project_of(alice)
    row = end_users.seen(mine, "eve@example.org", at=NOON)
    assert end_users.seen(mine, " eve@example.org ", at=NOON) == row
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM projects_enduser e")
        assert "eve" not in cursor.fetchone()[0]


def test_two_projects_cannot_tell_that_they_serve_the_same_person(alice: User, bob: User) -> None:
    one, other = personal.project_of(alice), personal.project_of(bob)
    assert end_users.ref_of(one, "eve") != end_users.ref_of(other, "eve")


def test_an_id_of_4_kb_is_taken_and_one_byte_more_is_told(alice: User) -> None:
    mine = personal.project_of(alice)
    assert end_users.seen(mine, "é" * 2048).ref
    with pytest.raises(end_users.EndUserIdTooLong) as told:
        end_users.seen(mine, "é" * 2048 + "a")
    assert (told.value.code, told.value.status) == ("end_user_id_too_long", 400)
    assert EndUser.objects.count() == 1


@pytest.mark.parametrize("claimed", ["\x00", "\ud800", "🙂", "a\nb"])
def test_no_id_breaks_it(alice: User, claimed: str) -> None:
    assert end_users.seen(personal.project_of(alice), claimed).pk


def test_whoever_has_a_session_acts_in_the_own_project(alice: User) -> None:
    request = RequestFactory().get("/")
    request.user = alice
    caller = calling.caller_of(request, claimed_end_user="eve")
    assert (caller.user, caller.project, caller.key) == (alice, personal.project_of(alice), None)
    assert caller.end_user == end_users.seen(caller.project, "eve")
    assert calling.caller_of(request).end_user is None


def test_nobody_acts_in_a_closed_project(alice: User) -> None:
    team = Project.objects.create(name="Team", created_at=NOON, closed_at=NOON)
    Membership.objects.create(project=team, user=alice, role="owner", since=NOON)
    calling.act_in(alice, team)
    request = RequestFactory().get("/")
    request.user = alice
    with pytest.raises(calling.ProjectClosed):
        calling.caller_of(request)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_row(alice: User) -> None:
    def see(_: int) -> object:
        try:
            return end_users.seen(personal.project_of(alice), "eve").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(see, range(12)))) == 1
    assert EndUser.objects.count() == Project.objects.count() == Membership.objects.count() == 1
