"""Somebody in several projects says for which one they ask: then the pictures are that one's."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from adapters.models import Adapter, BaseModel
from config.core.projects import personal
from config.core.projects.models import Membership, Project
from generation.models import GenerationRequest
from tests.factories import make_adapter, make_image, make_model, make_request
from tests.generation.test_studio import filled_in
from tests.projects.makers import join, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def model() -> BaseModel:
    return make_model()


@pytest.fixture
def team(alice: User) -> Project:
    return make_project(alice, "Team Heron")


@pytest.fixture
def hers(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def choose(client: Client, project: Project | None) -> Any:
    return client.post("/projects/choose/", {"project": str(project.pk) if project else "none"})


def asked_for(client: Client, **said: str) -> Project:
    answer = client.post("/studio/submit/", filled_in(client) | said)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    latest = GenerationRequest.objects.order_by("-created_at").first()
    assert latest is not None
    project: Project = latest.project
    return project


def test_requests_are_of_the_project_that_was_chosen(
    model: BaseModel, alice: User, team: Project, hers: Client
) -> None:
    assert asked_for(hers) == personal.project_of(alice)
    assert choose(hers, team).status_code == 302
    page = hers.get("/studio/").content.decode()
    assert "For Team Heron" in page
    assert f'<option value="{team.pk}" selected>' in page
    assert asked_for(hers) == team
    choose(hers, personal.project_of(alice))
    assert "For Team Heron" not in hers.get("/studio/").content.decode()
    assert asked_for(hers) == personal.project_of(alice)


def test_the_gallery_shows_the_chosen_projects_pictures_and_the_others_stay_found(
    model: BaseModel, alice: User, team: Project, hers: Client
) -> None:
    mine = make_image(alice, model)
    of_team = make_image(alice, model, request=make_request(alice, model, project=team))
    choose(hers, team)
    page = hers.get("/gallery/").content.decode()
    assert str(of_team.pk) in page
    assert str(mine.pk) not in page
    assert hers.get(f"/images/{mine.pk}/").status_code == 200


@pytest.mark.parametrize("role", ["viewer", "nobody"])
def test_who_does_not_act_in_a_project_cannot_choose_it(
    role: str, model: BaseModel, team: Project, bob: User
) -> None:
    if role == "viewer":
        join(team, bob, role)
    make_project(bob, "B")
    client = Client()
    client.force_login(bob)
    assert "Team Heron" not in client.get("/studio/").content.decode()
    answer = choose(client, team)
    assert answer.status_code == 404
    assert "project_not_to_choose" in answer.content.decode()
    assert asked_for(client) == personal.project_of(bob)
    refused = client.post("/studio/submit/", filled_in(client) | {"for_project": str(team.pk)})
    assert refused.status_code == 404
    assert not GenerationRequest.objects.filter(project=team).exists()
    assert choose(client, None).status_code == 404


def test_whoever_loses_the_project_asks_for_themselves_again_and_is_told(
    model: BaseModel, team: Project, bob: User
) -> None:
    join(team, bob, "developer")
    client = Client()
    client.force_login(bob)
    choose(client, team)
    Membership.objects.filter(user=bob, project=team).delete()
    page = client.get("/studio/").content.decode()
    assert "You can no longer ask for that project" in page
    assert asked_for(client) == personal.project_of(bob)


def test_a_form_is_of_the_project_that_it_was_written_for(
    model: BaseModel, alice: User, team: Project, hers: Client
) -> None:
    """Another tab switches meanwhile."""
    own = str(personal.project_of(alice).pk)
    assert f'name="for_project" value="{own}"' in hers.get("/studio/").content.decode()
    choose(hers, team)
    assert asked_for(hers, for_project=own) == personal.project_of(alice)
    assert asked_for(hers, for_project=str(team.pk)) == team


def test_nothing_is_offered_to_who_has_only_their_own(model: BaseModel, bob: User) -> None:
    client = Client()
    client.force_login(bob)
    assert "You ask for" not in client.get("/studio/").content.decode()


def test_a_closed_project_is_not_offered(model: BaseModel, team: Project, hers: Client) -> None:
    Project.objects.filter(pk=team.pk).update(closed_at=timezone.now())
    assert "Team Heron" not in hers.get("/studio/").content.decode()
    assert choose(hers, team).status_code == 404


def test_an_upload_is_the_chosen_projects_and_its_developers_see_its_report(
    model: BaseModel, team: Project, hers: Client, bob: User, carol: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr("adapters.uploads.owner_actions.events.send", lambda *_: None)
    choose(hers, team)
    assert "an adapter of <strong>Team Heron" in hers.get("/adapters/upload/").content.decode()
    file = SimpleUploadedFile("style.safetensors", b"no header")
    answer = hers.post("/adapters/upload/", {"file": file, "name": "Style"})
    assert answer.status_code == 302
    adapter = Adapter.objects.get()
    assert adapter.project == team
    adapter.delete()
    made = make_adapter(
        model, slug="shared", owner=team.memberships.get().user, project=team,
        state="rejected", visibility="private", code="rank_too_high",
    )  # fmt: skip
    for who, role, sees in ((bob, "developer", True), (carol, "viewer", False)):
        join(team, who, role)
        client = Client()
        client.force_login(who)
        body = client.get(f"/api/v1/adapters/{made.slug}/").json()
        assert ("report" in body) is sees
        page = client.get(made.get_absolute_url()).content.decode()
        assert (f"/adapters/{made.slug}/remove/" in page) is sees
        listed = client.get(f"/adapters/?project={team.pk}").content.decode()
        assert made.name in listed
