"""Nothing that is sent to the API is dropped without a word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework import serializers

from config.core.api import json_bodies, strict_serializers
from config.core.api.problem_documents import CONTENT_TYPE
from config.core.api.strict_serializers import StrictSerializer
from config.core.api.view import ApiView

SCHEMA = yaml.load(
    (settings.ROOT / "docs" / "integrate" / "openapi.yaml").read_text(), Loader=yaml.CSafeLoader
)
OPERATIONS = [
    (method, address, operation)
    for address, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]
NAMES = [f"{method} {address}" for method, address, _ in OPERATIONS]
NOBODY = UUID(int=7)


def filled(address: str, operation: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            kind = parameter["schema"].get("type")
            value = "1" if kind == "integer" else str(NOBODY)
            address = address.replace("{" + parameter["name"] + "}", value)
    return address


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for each in resolver.url_patterns:
        where = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield where, each.callback
        else:
            yield from routes(each, where)


@pytest.fixture
def of_all_roles(roles: dict[str, Any]) -> Client:
    user = User.objects.create_user("pat", "pat@example.org", "a long test password")
    user.groups.set(roles.values())
    client = Client()
    client.force_login(user)
    return client


def test_every_address_of_the_api_is_an_api_view() -> None:
    found = [
        view for where, view in routes(get_resolver()) if where.startswith(("api/v1/", "sbr/"))
    ]
    assert len(found) > 40
    assert [view for view in found if not issubclass(view.cls, ApiView)] == []


@pytest.mark.parametrize(("method", "address", "operation"), OPERATIONS, ids=NAMES)
def test_every_body_of_the_schema_is_closed(
    method: str, address: str, operation: dict[str, Any]
) -> None:
    for body in operation.get("requestBody", {}).get("content", {}).values():
        if "$ref" in body["schema"]:
            schema = SCHEMA["components"]["schemas"][body["schema"]["$ref"].split("/")[-1]]
            assert schema["additionalProperties"] is False


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "address", "operation"), OPERATIONS, ids=NAMES)
def test_a_parameter_that_is_not_known_is_refused_by_name(
    of_all_roles: Client, method: str, address: str, operation: dict[str, Any]
) -> None:
    answer = getattr(of_all_roles, method)(f"{filled(address, operation)}?stepps=1")
    assert (answer.status_code, answer["Content-Type"]) == (400, CONTENT_TYPE)
    assert "stepps" in answer.json()["errors"]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "address", "operation"), OPERATIONS, ids=NAMES)
def test_a_member_that_is_not_known_is_refused_by_name(
    of_all_roles: Client, method: str, address: str, operation: dict[str, Any]
) -> None:
    """Of a thing that does not exist the answer may be 404 before its body is looked at."""
    if method == "get" or address == "/api/v1/adapters/":
        return
    answer = getattr(of_all_roles, method)(
        filled(address, operation), {"stepps": 1}, content_type="application/json"
    )
    if "requestBody" in operation and "{" in address:
        assert answer.status_code in (400, 404)
        return
    assert answer.status_code == 400
    body = answer.json()
    assert "stepps" in body.get("errors", {}) or body["code"] == "unknown_member"


@pytest.mark.django_db
def test_an_empty_object_is_no_body(of_all_roles: Client) -> None:
    answer = of_all_roles.post("/api/v1/review/next/", {}, content_type="application/json")
    assert answer.status_code == 204


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_without_its_slash_keeps_method_and_body(client: Client, method: str) -> None:
    answer = getattr(client, method)("/api/v1/generations?page_size=3")
    assert (answer.status_code, answer["Location"]) == (308, "/api/v1/generations/?page_size=3")
    assert "Content-Type" not in answer


class Part(StrictSerializer):
    slug = serializers.CharField()


class Whole(StrictSerializer):
    steps = serializers.IntegerField(required=False)
    parts = Part(many=True, required=False)


@pytest.mark.parametrize(
    ("said", "name", "sentence"),
    [
        ({"stepps": 3}, "stepps", "There is no such member here. Did you mean “steps”?"),
        ({"n": 2}, "n", "There is no such member here."),
    ],
)
def test_a_name_that_is_close_to_one_is_told(
    said: dict[str, Any], name: str, sentence: str
) -> None:
    form = Whole(data=said)
    assert not form.is_valid()
    assert form.errors == {name: [sentence]}


class YesOrNo(StrictSerializer):
    has_consent = serializers.BooleanField(required=False)


@pytest.mark.parametrize(
    ("said", "is_valid"),
    [
        ({"has_consent": True}, True),
        ({"has_consent": 1}, False),
        ({"has_consent": "true"}, False),
        (QueryDict("has_consent=true"), True),
        (QueryDict("has_consent=False"), True),
        (QueryDict("has_consent=0"), False),
        (QueryDict("has_consent=on"), False),
        ({}, True),
    ],
)
def test_yes_and_no_are_true_and_false(said: Any, is_valid: bool) -> None:
    form = YesOrNo(data=said)
    assert form.is_valid() is is_valid
    assert is_valid or form.errors == {"has_consent": ["Send true or false."]}


def test_of_many_names_that_are_not_known_the_first_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []

    def is_close(name: str, *_: object, **__: object) -> list[str]:
        looked.append(name)
        return []

    monkeypatch.setattr(strict_serializers, "get_close_matches", is_close)
    names = [f"n{number}" for number in range(900)]
    for said in (dict.fromkeys(names, 1), QueryDict("&".join(f"{name}=1" for name in names))):
        looked.clear()
        form = Whole(data=said)
        assert not form.is_valid()
        assert len(looked) == strict_serializers.NAMED
        assert set(looked) < set(form.errors)
        assert form.errors["non_field_errors"] == ["880 more members are not known here."]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "said",
    [
        {f"n{number}": 1 for number in range(1001)},
        {"adapters": [{}] * 1001},
        {"adapters": [{f"n{number}": 1} for number in range(501)]},
        {"a": [[{}] * 100] * 11},
        [1] * 1001,
    ],
    ids=["members", "items", "members of items", "nested", "a list"],
)
def test_more_members_than_any_body_needs_are_refused(of_all_roles: Client, said: Any) -> None:
    for address in ("/api/v1/generations/", "/api/v1/verify/", "/api/v1/review/next/"):
        answer = of_all_roles.post(address, said, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "too_many_members")


def test_as_many_members_as_a_form_may_have_are_read() -> None:
    said = {f"n{number}": "a, b" for number in range(1000)}
    assert json_bodies.read(json.dumps(said)) == said


def test_a_nested_member_is_held_to_it_too() -> None:
    form = Whole(data={"parts": [{"slug": "a", "wieght": 1}]})
    assert not form.is_valid()
    assert "wieght" in str(form.errors)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('steps=3&parts=[{"slug":"a"},{"slug":"b"}]', ["a", "b"]),
        ('parts={"slug":"a"}&parts={"slug":"b"}', ["a", "b"]),
        ("parts[0]slug=a", ["a"]),
        ("parts=", []),
    ],
)
def test_a_form_may_hold_a_nested_member_as_json(text: str, found: list[str]) -> None:
    form = Whole(data=QueryDict(text))
    assert form.is_valid(), form.errors
    assert [part["slug"] for part in form.validated_data.get("parts", [])] == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("parts=flat", "parts"),
        ("parts=[1]", "parts"),
        ('parts=[{"slug":"a","wieght":1}]', "parts"),
        ("steps=3&steps=4", "steps"),
        ("stepps=3", "stepps"),
        ("stepps[0]a=3", "stepps"),
    ],
)
def test_a_form_is_held_to_it_too(text: str, name: str) -> None:
    form = Whole(data=QueryDict(text))
    assert not form.is_valid()
    assert list(form.errors) == [name]
