"""The pages and the API of projects, role by role."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.accounts.api_keys import key_issuing
from config.accounts.projects import administering
from config.core.projects import end_users
from config.core.projects.models import Project
from config.models import ApiKey
from generation.models import GeneratedImage, GenerationRequest, RequestStatus
from moderation.models import Decision, PolicyOverlay
from tests.factories import NOON, make_image, make_model, make_request
from tests.projects.makers import join, make_project, project_key

PASSWORD = "a long test password"


@pytest.fixture
def team(alice: User) -> Project:
    return make_project(alice)


def signed_in(name: str) -> Client:
    """Who came in with their password a moment ago."""
    client = Client()
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    return client


def by_key(project: Project, owner: User, *scopes: str) -> Client:
    key = project_key(project, owner, *scopes)
    return Client(headers={"Authorization": f"Bearer {key}"})


def sent(client: Client, method: str, path: str, **body: Any) -> Any:
    return getattr(client, method)(path, json.dumps(body), content_type="application/json")


def test_a_project_is_made_and_its_maker_owns_it(alice: User) -> None:
    client = signed_in("alice")
    made = client.post("/projects/make/", {"name": "Shop", "organisation": "Shop Ltd"})
    project = Project.objects.get(name="Shop")
    assert made["Location"] == f"/projects/{project.pk}/"
    assert project.organisation is not None
    page = client.get(made["Location"]).content.decode()
    assert "Shop Ltd" in page
    assert "Your role here: owner." in page
    assert "Shop" in client.get("/projects/").content.decode()


def test_an_organisation_answers_for_several_projects_of_its_owners(
    alice: User, dora: User
) -> None:
    for name, contact in (("Shop", "old@shop.example"), ("Forum", "law@shop.example")):
        said = {"name": name, "organisation": "Shop Ltd", "contact": contact}
        signed_in("alice").post("/projects/make/", said)
    signed_in("dora").post("/projects/make/", {"name": "Else", "organisation": "Shop Ltd"})
    shop, forum, other = (Project.objects.get(name=name) for name in ("Shop", "Forum", "Else"))
    assert shop.organisation is not None
    assert shop.organisation == forum.organisation
    assert shop.organisation.contact == "law@shop.example"
    assert other.organisation != shop.organisation


def test_an_organisation_is_reached_as_its_owner_says(
    alice: User, bob: User, team: Project
) -> None:
    shop = administering.make(by=alice, name="Shop", organisation="Shop Ltd", at=timezone.now())
    client, at = signed_in("alice"), f"/api/v1/projects/{shop.pk}/organisation/"
    form = {"contact": "law@shop.example"}
    assert client.post(f"/projects/{shop.pk}/organisation/", form).status_code == 302
    assert "law@shop.example" in client.get(f"/projects/{shop.pk}/").content.decode()
    assert client.get(at).json() == {"name": "Shop Ltd", "contact": "law@shop.example"}
    wrong = client.post(f"/projects/{shop.pk}/organisation/", {"contact": "no address"})
    assert wrong.status_code == 400
    assert sent(client, "patch", at, contact="").json()["contact"] == ""
    assert sent(signed_in("bob"), "patch", at, contact="").status_code == 404
    none = client.get(f"/api/v1/projects/{team.pk}/organisation/").json()
    assert none["code"] == "organisation_absent"


def test_an_organisation_of_other_peoples_projects_too_is_left_alone(
    alice: User, dora: User
) -> None:
    shop = administering.make(by=alice, name="Shop", organisation="Shop Ltd", at=timezone.now())
    forum = administering.make(by=alice, name="Forum", organisation="Shop Ltd", at=timezone.now())
    administering.set_member(forum.pk, "dora", "owner", by=alice, at=timezone.now())
    administering.set_member(forum.pk, "alice", None, by=alice, at=timezone.now())
    client = signed_in("alice")
    page = client.post(f"/projects/{shop.pk}/organisation/", {"contact": "a@shop.example"})
    assert page.status_code == 409
    assert "projects that you do not own" in page.content.decode()


def test_owners_set_it_and_only_operators_grant_limits(
    alice: User, olga: User, team: Project
) -> None:
    make_model()
    client = signed_in("alice")
    form = {"name": "Team", "statement_issuer": "house", "refusal_as": "error"}
    form["allowed_models"] = "tiny"
    assert client.post(f"/projects/{team.pk}/change/", form).status_code == 302
    wrong = client.post(f"/projects/{team.pk}/change/", form | {"allowed_models": "none"})
    assert "There is none called none." in wrong.content.decode()
    team.refresh_from_db()
    assert team.allowed_models == ["tiny"]
    assert client.post(f"/projects/{team.pk}/grant/", {"images_a_day": 9}).status_code == 403
    olga.user_permissions.add(Permission.objects.get(codename="grant_quotas"))
    staff = signed_in("olga")
    staff.post(f"/projects/{team.pk}/grant/", {"images_a_day": 9})
    team.refresh_from_db()
    assert (team.images_a_day, team.in_flight) == (9, None)


@pytest.mark.parametrize(
    ("role", "codes"), [("viewer", (403, 403, 403)), ("developer", (403, 201, 200))]
)
def test_each_role_reaches_as_far_as_it_says(
    alice: User, dora: User, team: Project, role: str, codes: tuple[int, ...]
) -> None:
    join(team, dora, role)
    eve = end_users.seen(team, "eve", at=NOON)
    client, at = signed_in("dora"), f"/api/v1/projects/{team.pk}/"
    assert client.get(at).status_code == 200
    overlay = {"document": {"hold": ["violence"]}, "rationale": "Children."}
    assert sent(client, "patch", at, name="Mine").status_code == codes[0]
    assert sent(client, "post", f"{at}overlays/", **overlay).status_code == codes[1]
    assert client.get(f"{at}end-users/{eve.pk}/").status_code == codes[2]


def test_members_come_and_go_with_their_keys(alice: User, dora: User, team: Project) -> None:
    client, at = signed_in("alice"), f"/api/v1/projects/{team.pk}/members/"
    assert sent(client, "put", at, username="dora", role="developer").status_code == 200
    project_key(team, dora, "read")
    assert sent(client, "put", at, username="dora", role="viewer").status_code == 200
    assert ApiKey.objects.get().revoked_at is not None
    assert sent(client, "put", at, username="dora", role=None).status_code == 200
    assert signed_in("dora").get(f"/projects/{team.pk}/").status_code == 404
    last = sent(client, "put", at, username="alice", role=None)
    assert (last.status_code, last.json()["code"]) == (409, "last_owner")
    nobody = sent(client, "put", at, username="nobody", role="viewer")
    assert nobody.json()["code"] == "member_unknown"


def test_a_key_is_made_rotated_with_an_overlap_and_revoked(alice: User, team: Project) -> None:
    client, at = signed_in("alice"), f"/projects/{team.pk}/keys/"
    form = {
        "name": "backend", "scopes": ["read"], "days": "30", "refusal_as": "card",
        "networks": "192.0.2.0/24",
    }  # fmt: skip
    asked = client.post(f"{at}make/", form)
    if asked.status_code == 302:
        asked = client.post(asked["Location"], {"password": PASSWORD})
    assert "ps_key_" in asked.content.decode()
    old = ApiKey.objects.get()
    assert (old.project, old.refusal_as, old.networks) == (team, "card", ["192.0.2.0/24"])
    now = timezone.now()
    made, key = key_issuing.rotate(old, overlap_hours=1, at=now)
    old.refresh_from_db()
    assert old.expires_at == now + timedelta(hours=1)
    assert (made.scopes, made.networks, made.project) == (old.scopes, old.networks, team)
    assert key_issuing.find(key, at=now) == made
    client.post(f"{at}{made.pk}/revoke/")
    assert key_issuing.find(key, at=now) is None
    with pytest.raises(key_issuing.ScopeNotOffered):
        key_issuing.rotate(old, overlap_hours=5, at=now)


def test_a_key_is_good_from_its_networks_alone(alice: User, team: Project) -> None:
    key = project_key(team, alice, "read", networks=["192.0.2.0/24"])
    client = Client(headers={"Authorization": f"Bearer {key}"})
    far = client.get("/api/v1/images/")
    assert (far.status_code, far.json()["code"]) == (403, "key_from_elsewhere")
    assert client.get("/api/v1/images/", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_key_of_a_project_does_no_work_of_the_house(bob: User) -> None:
    team = make_project(bob)
    assert "review" in key_issuing.scopes_for(bob)
    assert "review" not in key_issuing.scopes_for(bob, team)


def test_a_closed_projects_keys_end(alice: User, team: Project) -> None:
    client = by_key(team, alice, "read")
    signed_in("alice").post(f"/projects/{team.pk}/close/")
    assert client.get("/api/v1/images/").status_code == 401


def test_an_end_user_is_found_by_the_products_own_id(alice: User, team: Project) -> None:
    eve, client = end_users.seen(team, "eve", at=NOON), by_key(team, alice, "read")
    end_users.seen(team, "adam", at=NOON)
    at = f"/api/v1/projects/{team.pk}/end-users/"
    assert len(client.get(at).json()["results"]) == 2
    for asked in ("eve", str(eve.pk)):
        [found] = client.get(f"{at}?end_user={asked}").json()["results"]
        assert found["id"] == str(eve.pk)
    page = signed_in("alice").get(f"/projects/{team.pk}/?end_user=eve").content.decode()
    assert str(eve.pk) in page


def test_an_end_users_export_and_erasure(alice: User, team: Project) -> None:
    eve, model = end_users.seen(team, "eve", at=NOON), make_model()
    of_eve = {"project": team, "end_user": eve}
    request = make_request(alice, model, status=RequestStatus.FINISHED, **of_eve)
    make_image(alice, model, request=request, end_user=eve)
    client = by_key(team, alice, "read", "manage")
    at = f"/api/v1/projects/{team.pk}/end-users/{eve.pk}/"
    told = client.get(at).json()
    assert [row["prompt"] for row in told["requests"]] == ["a red apple"]
    assert len(told["images"]) == 1
    assert client.delete(at).status_code == 204
    eve.refresh_from_db()
    assert (eve.ref, bool(eve.erased_at)) == ("", True)
    assert GenerationRequest.objects.get().prompt == ""
    assert GeneratedImage.objects.get().deleted_at is not None
    assert end_users.seen(team, "eve").pk != eve.pk


def test_what_is_on_its_way_is_not_erased(alice: User, team: Project) -> None:
    eve = end_users.seen(team, "eve", at=NOON)
    make_request(alice, make_model(), project=team, end_user=eve)
    answer = by_key(team, alice, "manage").delete(f"/api/v1/projects/{team.pk}/end-users/{eve.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "end_user_still_waits")


def test_an_overlay_is_proposed_by_one_and_put_in_force_by_another(
    alice: User, dora: User, team: Project
) -> None:
    join(team, dora, "owner")
    client, at = signed_in("alice"), f"/projects/{team.pk}/overlays/"
    client.post(f"{at}propose/", {"document": '{"hold": ["violence"]}', "rationale": "Children."})
    row = PolicyOverlay.objects.get()
    assert (row.number, row.status) == (1, "proposed")
    assert client.post(f"{at}1/activate/").status_code == 403
    signed_in("dora").post(f"{at}1/activate/")
    row.refresh_from_db()
    assert row.status == "in_force"
    loosening = '{"thresholds": {"violence": {"image": {"hold": 2, "refuse": 2}}}}'
    answer = client.post(f"{at}propose/", {"document": loosening, "rationale": "More."})
    assert answer.status_code == 422
    assert "lies no higher" in answer.content.decode()
    client.post(f"{at}1/retire/")
    row.refresh_from_db()
    assert row.status == "retired"
    assert Decision.objects.count() == 0


def test_a_page_of_many_keys_asks_for_no_more_than_one_of_few(
    alice: User, team: Project, django_assert_max_num_queries: Any
) -> None:
    client, at = signed_in("alice"), f"/projects/{team.pk}/"
    project_key(team, alice, "read", refusal_as="")
    client.get(at)
    with CaptureQueriesContext(connection) as few:
        client.get(at)
    for _ in range(5):
        project_key(team, alice, "read", refusal_as="")
    with django_assert_max_num_queries(len(few)):
        client.get(at)


def test_a_successor_keeps_the_word_of_a_key_of_before(alice: User, team: Project) -> None:
    project_key(team, alice, "read", refusal_as="error")
    Project.objects.update(refusal_as="card")
    made, _ = key_issuing.rotate(ApiKey.objects.get(), overlap_hours=0, at=timezone.now())
    assert not made.shows_cards
    assert "Keys made before" in signed_in("alice").get(f"/projects/{team.pk}/").content.decode()
