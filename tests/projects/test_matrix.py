"""Role × address × project: nobody sees another project's rows, at any address that there is.

Every address of the house has a row here: what its parameters are filled with, or that it has none.
A new page whose parameter nobody filled fails, and a list that shows a stranger something fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from adapters.models import Adapter
from config.core.projects import end_users
from config.core.projects.models import EndUser, Membership, Project
from config.models import ApiKey
from config.webhooks.models import Delivery, Endpoint
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from moderation.appeals import hearing
from moderation.models import Appeal, Decision, Export, PolicyOverlay
from tests.factories import NOON, make_adapter, make_image, make_model, make_request
from tests.projects.makers import join, make_project, project_key
from tests.projects.test_standing import decided

pytestmark = pytest.mark.django_db
SECRET = "zinnober heron of project A"
ELSEWHERE = str(uuid4())
# What each parameter of an address is filled with: a row of project A, or nothing of any project.
OF_THE_PROJECT = {
    *("project_id", "request_id", "image_id", "statement_id", "appeal_id", "case_id", "found_id"),
    *("end_user_id", "key_id", "slug", "share_key"),
    *("endpoint_id", "delivery_id", "export_id", "overlay_number"),
}
OF_NO_PROJECT = {  # of the house, of a person, or public to whoever holds the address
    "change_id": ELSEWHERE, "receipt_key": ELSEWHERE, "batch": ELSEWHERE, "audit_id": ELSEWHERE,
    "run_id": ELSEWHERE, "asset_id": ELSEWHERE, "token": "none", "name": "none", "version": "none",
    "profile": "general", "manifest_id": "none", "position": "1", "view_id": "1", "index": "0",
    "old_size": "1", "size": "1", "number": "000", "level": "0", "width": "1",
    "model": "none", "model_id": "none", "uuid": "none",
    # of the admin and of signing in
    "content_type_id": "1", "object_id": "1", "app_label": "generation", "url": "none",
    "key": "none", "uidb36": "1", "pk": "1", "provider_id": "none", "organization_slug": "none",
}  # fmt: skip
OF_KEYS = ("api/", "v1/", "sdapi/")
METHODS = ("get", "post", "delete", "patch", "put")
PUBLIC_OF_A_PICTURE = {"images/<uuid:image_id>/report/"}
"""A released picture may be reported by anybody who has its address: that is what the law asks."""


def patterns(found: Any, before: str = "") -> Iterator[str]:
    for one in found:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route


ROUTES = sorted(set(patterns(get_resolver().url_patterns)))
_NAMED = re.compile(r"\(\?P<(\w+)>[^()]*\)|<(?:\w+:)?(\w+)>")


def parameters(route: str) -> list[str]:
    return [one or other for one, other in _NAMED.findall(route)]


def path_of(route: str, rows: dict[str, str]) -> str:
    if route.startswith("^"):
        return "/log/checkpoint"  # the log's tiles are public and hold digests alone
    filled = OF_NO_PROJECT | rows
    return "/" + _NAMED.sub(lambda found: filled[found[1] or found[2]], route).strip("^$").replace(
        "/^", "/"
    )


@pytest.fixture
def rows(alice: User, bob: User, carol: User, settings: Any) -> dict[str, str]:
    """Something of everything, in project A."""
    team = make_project(alice, SECRET)
    eve = end_users.seen(team, "eve", at=NOON)
    model = make_model()
    request = make_request(
        alice, model, status=RequestStatus.SUBMITTED, prompt=SECRET, project=team, end_user=eve
    )
    decision: Decision = decided(request, bob, carol, "warn")
    appeal = hearing.lodge(decision, by=alice, grounds=SECRET, at=NOON)
    done = make_request(alice, model, status=RequestStatus.FINISHED, prompt=SECRET, project=team)
    image = make_image(alice, model, request=done, state=ImageState.RELEASED)
    adapter = make_adapter(
        model, slug="of-a", name=SECRET, owner=alice, project=team, state="accepted",
        visibility="private",
    )  # fmt: skip
    project_key(team, alice, "read")
    key = ApiKey.objects.get()
    assert decision.case_id
    endpoint = Endpoint.objects.create(project=team, url="https://a.example/", made_at=NOON)
    delivery = Delivery.objects.create(
        endpoint=endpoint, event_id="evt_1", type="webhook.test", body=SECRET, written_at=NOON,
        due_at=NOON,
    )  # fmt: skip
    export = Export.objects.create(
        project=team, kind="decisions", first=NOON, last=NOON, made_by=alice, made_at=NOON
    )
    overlay = PolicyOverlay.objects.create(
        project=team, number=7, document={"hold": ["violence"]}, rationale=SECRET,
        proposed_by=alice, proposed_at=NOON,
    )  # fmt: skip
    return {
        "endpoint_id": str(endpoint.pk),
        "delivery_id": str(delivery.pk),
        "export_id": str(export.public_id),
        "overlay_number": str(overlay.number),
        "project_id": str(team.pk),
        "request_id": str(done.pk),
        "image_id": str(image.pk),
        "statement_id": str(decision.statement.pk),
        "appeal_id": str(appeal.pk),
        "case_id": str(decision.case_id),
        "found_id": str(decision.case_id),
        "end_user_id": str(eve.pk),
        "key_id": str(key.pk),
        "slug": adapter.slug,
        "share_key": str(adapter.share_key),
    }


def told(answer: Any) -> str:
    if answer.streaming:
        return b"".join(answer.streaming_content).decode("utf-8", "replace")
    return str(answer.content.decode("utf-8", "replace"))


def leaks(answer: Any, rows: dict[str, str], path: str) -> list[str]:
    """What of project A's an answer names that its address did not."""
    words = told(answer)
    return [each for each in (SECRET, *rows.values()) if len(each) > 8 and each in words
            and each not in path]  # fmt: skip


def test_every_parameter_of_every_address_has_its_row() -> None:
    named = {name for route in ROUTES for name in parameters(route)}
    assert named <= OF_THE_PROJECT | set(OF_NO_PROJECT), "say whose rows the new address shows"
    assert len(ROUTES) > 150


@pytest.mark.parametrize("role", ["visitor", "owner of B", "owner of B within B", "key of B"])
def test_nobody_else_sees_a_row_of_the_project(
    role: str, rows: dict[str, str], mallory: User
) -> None:
    """By page, API, export or media address, read or written; nor by naming one's own project and
    another's row."""
    other = None if role == "visitor" else make_project(mallory, "B")
    client = Client(raise_request_exception=False)
    headers: Any = {}
    if role.startswith("owner of B"):
        client.force_login(mallory)
    elif other is not None:
        headers = {"Authorization": f"Bearer {project_key(other, mallory)}"}
    asked, theirs = dict(rows), set(OF_THE_PROJECT)
    if role == "owner of B within B":
        assert other is not None
        asked["project_id"] = str(other.pk)
        theirs.remove("project_id")
    wrong = []
    for route, path in _addresses(role, asked):
        is_theirs = theirs & set(parameters(route))
        for method in METHODS if route.startswith("api/") else METHODS[:2]:
            answer = getattr(client, method)(path, headers=headers)
            if found := leaks(answer, rows, path):
                wrong.append(f"{role} {method} {path} {answer.status_code} shows {found}")
            if is_theirs and answer.status_code < 300:
                wrong.append(f"{role} {method} {path}: {answer.status_code}")
    assert wrong == []


def _addresses(role: str, rows: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Of every route, but for the one that goes on and on, and for pages where a key is sent."""
    for route in ROUTES:
        path = path_of(route, rows)
        if route in PUBLIC_OF_A_PICTURE or path == "/studio/events/":
            continue
        if role == "owner of B within B" and "project_id" not in parameters(route):
            continue
        if role != "key of B" or route.startswith(OF_KEYS):
            yield route, path


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
def test_the_admin_shows_no_row_to_an_owner_of_a_project(
    model: type[Model], rows: dict[str, str], mallory: User
) -> None:
    """Whatever it is a row of."""
    make_project(mallory, "B")
    client = Client()
    client.force_login(mallory)
    row = model._default_manager.first()
    at = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for path in (at, f"{at}add/", *(f"{at}{row.pk}/{what}/" for what in _OF_A_ROW if row)):
        for method in ("get", "post"):
            answer = getattr(client, method)(path)
            assert answer.status_code in (302, 403), path
            assert leaks(answer, rows, answer.headers.get("Location", path)) == []


_OF_A_ROW = ("change", "delete", "history")


def test_a_viewer_changes_nothing_of_the_project(rows: dict[str, str], dora: User) -> None:
    """At any address that names something of it."""
    join(Project.objects.get(pk=rows["project_id"]), dora, "viewer")
    client = Client(raise_request_exception=False)
    client.force_login(dora)
    before, wrong = _state(rows["project_id"]), []
    for route, path in _addresses("viewer", rows):
        if not OF_THE_PROJECT & set(parameters(route)):
            continue
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)(path)
            if answer.status_code < 300:
                wrong.append(f"{method} {path}: {answer.status_code}")
    assert wrong == []
    assert _state(rows["project_id"]) == before


def _state(project_id: str) -> dict[str, list[Any]]:
    """All rows that the project has; what a viewer makes anew of it is the viewer's own."""
    kinds: dict[Any, str] = {Project: "pk", Delivery: "endpoint__project"}
    kinds |= dict.fromkeys(
        (EndUser, ApiKey, Membership, Endpoint, Export, PolicyOverlay), "project"
    )
    kinds |= dict.fromkeys((Appeal, GenerationRequest, GeneratedImage, Adapter), "project")
    return {
        kind.__name__: list(kind.objects.filter(**{whose: project_id}).order_by("pk").values())
        for kind, whose in kinds.items()
    }


def test_lists_named_after_the_project_stay_empty_for_others(
    rows: dict[str, str], mallory: User
) -> None:
    client = Client()
    client.force_login(mallory)
    for path in ("generations", "images", "statements", "appeals"):
        answer = client.get(f"/api/v1/{path}/?project={rows['project_id']}")
        assert json.loads(answer.content)["results"] == []
    answer = client.get(f"/gallery/?project={rows['project_id']}")
    assert answer.status_code == 200
    assert rows["image_id"] not in answer.content.decode()


@pytest.mark.parametrize("role", ["viewer", "developer", "owner"])
def test_members_see_the_projects_rows(role: str, rows: dict[str, str], dora: User) -> None:
    team = Project.objects.get(pk=rows["project_id"])
    join(team, dora, role)
    client = Client()
    client.force_login(dora)
    for path in ("generations", "images", "statements", "appeals"):
        answer = client.get(f"/api/v1/{path}/?project={team.pk}")
        assert len(json.loads(answer.content)["results"]) >= 1, path
        assert json.loads(client.get(f"/api/v1/{path}/").content)["results"] == []
    for path in (
        f"/projects/{team.pk}/",
        f"/requests/{rows['request_id']}/",
        f"/images/{rows['image_id']}/",
        f"/statements/{rows['statement_id']}/",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
    deleted = client.post(f"/images/{rows['image_id']}/delete/")
    assert (deleted.status_code == 404) is (role == "viewer")


def test_a_key_sees_its_project_and_not_its_owners_other_ones(
    rows: dict[str, str], alice: User
) -> None:
    """Alice's own key opens nothing of the team's, and the team's nothing of hers."""
    other = make_project(alice, "Other")
    key = project_key(other, alice)
    client = Client(headers={"Authorization": f"Bearer {key}"})
    for path in (
        f"/api/v1/generations/{rows['request_id']}/",
        f"/api/v1/images/{rows['image_id']}/",
        f"/api/v1/images/{rows['image_id']}/file/",
        f"/api/v1/statements/{rows['statement_id']}/",
        f"/api/v1/appeals/{rows['appeal_id']}/",
        f"/api/v1/projects/{rows['project_id']}/",
        f"/api/v1/projects/{rows['project_id']}/end-users/{rows['end_user_id']}/",
    ):
        assert client.get(path).status_code == 404, path
