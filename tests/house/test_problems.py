"""Where programs read, every error is a problem document: never a page, never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from config.core.api.problem_documents import CONTENT_TYPE

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
LISTS = ["generations", "images", "adapters", "statements", "appeals", "audits"]
DESK_LISTS = ["review/cases", "review/appeals"]
DEEP = "[" * 100_000
JSON_ADDRESSES = [
    "/api/v1/generations/",
    "/api/v1/generations/estimate/",
    "/api/v1/appeals/",
    "/api/v1/notices/",
    "/api/v1/verify/",
    "/sbr/matches/byBinding",
]


def mistake(request: HttpRequest) -> HttpResponse:
    raise ValueError("a mistake of ours")


def patterns() -> list[Any]:
    from config.urls import urlpatterns

    return [path("api/mistake/", mistake), path("log/mistake", mistake), *urlpatterns]


urlpatterns = patterns()
handler500 = "config.web.unavailable.server_error"


@pytest.fixture
def of_alice(alice: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    return client


@pytest.fixture
def of_all_roles(roles: dict[str, Any]) -> Client:
    user = User.objects.create_user("pat", "pat@example.org", "a long test password")
    user.groups.set(roles.values())
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer["Content-Type"].startswith(CONTENT_TYPE), answer.content[:200]
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["title"].endswith(".")
    return body


@pytest.mark.parametrize(
    "address",
    ["/api/none/", "/api/v1/none/", "/sbr/none", "/log/none", "/api", "/sbr", "/log", "/v1"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_address_is_a_problem(client: Client, address: str, method: str) -> None:
    assert_problem(getattr(client, method)(address), 404, "not_found")


@pytest.mark.parametrize(
    "address", ["/api/v1/models/", "/sbr/matches/byContent", "/log/checkpoint"]
)
def test_another_method_is_a_problem_and_names_the_right_ones(
    of_alice: Client, address: str
) -> None:
    answer = of_alice.delete(address)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer["Allow"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("text/plain", 415, "unsupported_media_type"), ("application/json", 400, "parse_error")],
)
def test_a_body_that_is_not_read_comes_with_what_to_send(
    of_alice: Client, kind: str, status: int, code: str
) -> None:
    answer = of_alice.generic("POST", "/api/v1/generations/", b"\xef\xbb\xbf{}", content_type=kind)
    assert "Send" in assert_problem(answer, status, code)["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/log/checkpoint", "/log/keys", "/log/tile/0/000"])
def test_another_method_of_a_page_to_read_is_told_so_without_a_token(address: str) -> None:
    answer = Client(enforce_csrf_checks=True).put(address)
    assert_problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("address", ["/api/mistake/", "/log/mistake"])
def test_a_crash_is_a_problem_that_tells_nothing_of_the_inside(address: str) -> None:
    answer = Client(raise_request_exception=False).get(address)
    assert_problem(answer, 500, "server_error")
    assert "mistake of ours" not in answer.text


def test_another_host_is_a_problem(client: Client) -> None:
    answer = client.get("/api/v1/models/", headers={"host": "elsewhere.example"})
    assert_problem(answer, 400, "bad_request")


@pytest.mark.parametrize("address", ["/log/entry/99999999999999999999999/", "/log/entry/77/"])
def test_an_entry_that_is_not_there_is_a_problem(client: Client, address: str) -> None:
    assert_problem(client.get(address), 404, "not_in_log")


# ------------------------------------------------------------------ what breaks parsers
@pytest.mark.parametrize("address", JSON_ADDRESSES)
@pytest.mark.parametrize("opening", [DEEP, '{"prompt":' * 100_000])
def test_deep_json_is_refused_with_and_without_an_account(
    of_alice: Client, address: str, opening: str
) -> None:
    for client in (of_alice, Client(raise_request_exception=False)):
        answer = client.post(address, opening, content_type="application/json")
        assert answer.status_code in (400, 401)
        assert_problem(answer, answer.status_code, answer.json()["code"])
    answer = of_alice.post(address, opening, content_type="application/json")
    assert_problem(answer, 400, "nested_too_deep")


@pytest.mark.parametrize("body", ['{"prompt": "a", "prompt": "b"}', '{"prompt": NaN}', "\xff"])
def test_json_that_can_be_read_two_ways_is_refused(of_alice: Client, body: str) -> None:
    raw = body.encode("latin-1")
    answer = of_alice.post("/api/v1/generations/", raw, content_type="application/json")
    assert answer.json()["code"] in ("member_twice", "parse_error")
    assert_problem(answer, 400, answer.json()["code"])


@pytest.mark.parametrize("address", JSON_ADDRESSES)
@pytest.mark.parametrize(
    "body",
    [
        r'{"\ud800": 1}',
        r'{"\udfff": 1, "\udfff": 1}',
        r'{"url": "\ud800"}',
        r'{"value": [{"a": ["\ud83d"]}]}',
        r'"\ud800"',
    ],
)
def test_half_a_character_is_refused_with_and_without_an_account(
    of_alice: Client, address: str, body: str
) -> None:
    for client in (of_alice, Client(raise_request_exception=False)):
        answer = client.post(address, body, content_type="application/json")
        assert answer.status_code in (400, 401)
        assert_problem(answer, answer.status_code, answer.json()["code"])
    answer = of_alice.post(address, body, content_type="application/json")
    assert_problem(answer, 400, "half_character")


def test_a_number_without_end_is_called_so(of_alice: Client) -> None:
    body = '{"prompt": "a", "seed": ' + "9" * 5000 + "}"
    answer = of_alice.post("/api/v1/generations/", body, content_type="application/json")
    assert_problem(answer, 400, "number_too_long")


def test_half_a_character_in_the_json_of_a_form_is_refused(of_alice: Client) -> None:
    form = {"prompt": "a", "adapters": r'[{"\ud800": 1}]'}
    assert_problem(of_alice.post("/api/v1/generations/", form), 400, "half_character")


def test_both_halves_of_a_character_are_one(client: Client) -> None:
    answer = client.post("/api/v1/verify/", r'{"\ud83d\ude00": 1}', content_type="application/json")
    assert "😀" in assert_problem(answer, 400, "unknown_member")["title"]


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/adapters/?text=%00",
        "/api/v1/generations/?prompt=a%00b",
        "/sbr/matches/byBinding?alg=%00&value=YQ==",
        "/log/entry/1/?a=%00",
        "/api/v1/adapters/a%00b/",
    ],
)
def test_nul_in_an_address_is_a_problem(of_alice: Client, address: str) -> None:
    assert_problem(of_alice.get(address), 400, "nul_character")


@pytest.mark.parametrize("address", ["/gallery/?text=%00", "/adapters/?text=a%00"])
def test_nul_in_the_address_of_a_page_is_told_on_a_page(of_alice: Client, address: str) -> None:
    answer = of_alice.get(address)
    assert answer.status_code == 400
    assert "NUL" in answer.text


# ------------------------------------------------------------------ lists
@pytest.mark.parametrize("name", LISTS + DESK_LISTS)
@pytest.mark.parametrize("cursor", ["abc", "cD1hYmM=", "cD0yMDI2LTAxLTAx", "é", ""])
def test_a_cursor_that_is_none_is_a_problem(of_all_roles: Client, name: str, cursor: str) -> None:
    answer = of_all_roles.get(f"/api/v1/{name}/", {"cursor": cursor})
    code = "cursor_invalid" if cursor else "invalid"
    assert_problem(answer, 400, code)


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01", "9999-12-31T23:59Z"],
)
@pytest.mark.parametrize("name", ["generations", "images"])
def test_the_first_and_the_last_year_crash_nothing(
    of_alice: Client, name: str, moment: str
) -> None:
    for bound in ("created_after", "created_before"):
        answer = of_alice.get(f"/api/v1/{name}/", {bound: moment})
        assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    ("first", "last"), [("0001-01-01", "9999-12-31"), ("2026-01-01", "9999-12-31")]
)
def test_an_audit_of_all_time_is_refused(of_all_roles: Client, first: str, last: str) -> None:
    said = {"stage": "image", "first": first, "last": last}
    answer = of_all_roles.post("/api/v1/audits/", said, content_type="application/json")
    assert_problem(answer, 400, "invalid")
