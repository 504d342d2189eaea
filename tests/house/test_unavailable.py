"""While a part of the house is away, pages and API say so with a code and when to come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def mistake(request: HttpRequest) -> HttpResponse:
    raise ValueError("a mistake of ours")


def patterns() -> list[Any]:
    from config.urls import urlpatterns

    return [path("mistake/", mistake), *urlpatterns]


urlpatterns = patterns()
handler500 = "config.web.unavailable.server_error"


@pytest.fixture
def client_of_alice(alice: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    return client


@pytest.fixture
def no_database(client_of_alice: Client) -> Iterator[None]:
    def refuse(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("no_database")
def test_a_page_says_that_the_database_is_away(client_of_alice: Client) -> None:
    answer = client_of_alice.get("/gallery/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    said = answer.content.decode()
    assert "cannot reach a part of itself" in said
    assert "unavailable" in said
    assert "closed the connection" not in said


@pytest.mark.usefixtures("no_database")
def test_the_api_says_so_as_a_problem(client_of_alice: Client) -> None:
    answer = client_of_alice.get("/api/v1/generations/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unavailable"


def test_a_cache_that_cannot_write_is_an_outage_too(client_of_alice: Client, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    answer = client_of_alice.get("/api/v1/generations/")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_a_mistake_stays_a_500(client_of_alice: Client) -> None:
    answer = client_of_alice.get("/mistake/")
    assert answer.status_code == 500
    assert "broke on our side" in answer.content.decode()
