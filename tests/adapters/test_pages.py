"""The catalogue's pages and its read API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from adapters.models import Adapter
from tests.factories import make_adapter, make_model

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]


@pytest.fixture
def private(alice: User) -> Adapter:
    return make_adapter(
        make_model(), slug="sketch", name="<b>Sketch</b>", owner=alice, trigger="<i>ink</i>",
        state=Adapter.State.ACCEPTED, visibility=Adapter.Visibility.PRIVATE,
    )  # fmt: skip


def test_catalogue_lists_adapters_and_the_models_they_fit(alice: User, as_user: AsUser) -> None:
    make_adapter(make_model(name="Small model", rank_ceiling=24), slug="flat", trigger="flat art")
    page = as_user(alice).get("/adapters/").content.decode()
    assert 'href="/adapters/flat/"' in page
    assert "flat art" in page
    assert "Small model" in page
    assert "256 × 256, 512 × 512" in page
    assert '<td data-label="Highest rank">24</td>' in page


def test_catalogue_says_what_to_do_when_there_is_nothing(alice: User, as_user: AsUser) -> None:
    page = as_user(alice).get("/adapters/").content.decode()
    assert "No adapters yet" in page
    assert "register_starter" in page


def test_htmx_gets_the_cards_alone(alice: User, as_user: AsUser) -> None:
    make_adapter(make_model(), slug="flat")
    answer = as_user(alice).get("/adapters/?text=nothing", HTTP_HX_REQUEST="true")
    page = answer.content.decode()
    assert "No adapter matches" in page
    assert "<html" not in page


@pytest.mark.usefixtures("private")
def test_owner_sees_their_private_adapter_with_its_text_escaped(
    alice: User, as_user: AsUser
) -> None:
    client = as_user(alice)
    for path in ("/adapters/", "/adapters/sketch/"):
        page = client.get(path).content.decode()
        assert "&lt;b&gt;Sketch&lt;/b&gt;" in page
        assert "<b>Sketch</b>" not in page
        assert "<i>ink</i>" not in page


@pytest.mark.usefixtures("private")
def test_a_strangers_adapter_is_not_found(mallory: User, as_user: AsUser) -> None:
    client = as_user(mallory)
    assert client.get("/adapters/sketch/").status_code == 404
    assert "Sketch" not in client.get("/adapters/").content.decode()
    answer = client.get("/api/v1/adapters/sketch/")
    assert (answer.status_code, answer.json()["code"]) == (404, "adapter_not_found")
    assert client.get("/api/v1/adapters/").json()["results"] == []


def test_pages_ask_to_sign_in(client: Client) -> None:
    assert client.get("/adapters/").status_code == 302
    assert client.get("/api/v1/adapters/").status_code in (401, 403)


@pytest.mark.usefixtures("private")
def test_api_shows_own_adapters_and_filters_them(alice: User, as_user: AsUser) -> None:
    client = as_user(alice)
    [row] = client.get("/api/v1/adapters/?whose=mine").json()["results"]
    assert row["slug"] == "sketch"
    assert (row["model"], row["rank"], row["state"]) == ("tiny", 4, "accepted")
    one = client.get("/api/v1/adapters/sketch/").json()
    assert row.items() <= one.items()
    assert one["report"] == {}
    assert client.get("/api/v1/adapters/?rank_max=64").status_code == 200


def test_admin_shows_models_and_adapters_and_changes_no_state(olga: User, as_user: AsUser) -> None:
    olga.is_superuser = True
    olga.save()
    adapter = make_adapter(make_model(), slug="flat")
    client = as_user(olga)
    assert "Tiny" in client.get("/admin/adapters/basemodel/").content.decode()
    assert client.get(f"/admin/adapters/adapter/{adapter.pk}/change/").status_code == 200
    client.post(f"/admin/adapters/adapter/{adapter.pk}/change/", {"state": "withdrawn"})
    adapter.refresh_from_db()
    assert adapter.state == "published"
