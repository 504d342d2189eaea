"""API keys: what is kept of one, what it opens, and when it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.views import APIView

from config.accounts.api_keys import key_format, key_issuing
from config.accounts.api_keys.key_authentication import KeyAuthentication
from config.core.projects import personal
from config.models import ApiKey
from tests.factories import make_key
from tests.moderation.test_further_decisions import suspended

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
PASSWORD = "a long test password"
SCOPES = [scope.value for scope in ApiKey.Scope]
FOR_ANYBODY = ["read", "generate", "verify", "moderate", "appeals.act", "webhooks", "manage"]
FILLED = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "int": "1",
    "slug": "none",
    "str": "none",
}


def sent(key: str, scheme: str = "Bearer") -> APIClient:
    return APIClient(headers={"Authorization": f"{scheme} {key}"})


def signed_in() -> Client:
    """Alice, who came in with her password a moment ago."""
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    return client


def make(client: Client, **said: Any) -> Any:
    form = {"name": "nightly job", "scopes": ["read", "generate"], "days": "30"} | said
    asked = client.post("/account/keys/make/", form)
    if asked.status_code == 302:
        assert "/accounts/reauthenticate/" in asked["Location"]
        return client.post(asked["Location"], {"password": PASSWORD})
    return asked


def shown(page: Any) -> str:
    found = re.search(key_format.PATTERN, page.content.decode())
    assert found, page.content.decode()
    return found[0]


# ---------------------------------------------------------------- spelling


def test_a_key_has_a_prefix_for_scanners_and_a_checksum() -> None:
    key = key_format.new_key()
    assert key.startswith("ps_key_")
    assert key_format.is_spelled_right(key)
    wrong = key[:20] + ("A" if key[20] != "A" else "B") + key[21:]
    assert not key_format.is_spelled_right(wrong)
    assert not key_format.is_spelled_right(key[:-1])


def test_a_mistyped_key_asks_the_database_nothing(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    with django_assert_num_queries(0):
        assert key_issuing.find("ps_key_" + "a" * 49, at=timezone.now()) is None


# ---------------------------------------------------------------- making one


def test_making_a_key_asks_for_the_password_again(alice: User) -> None:
    client = signed_in()
    form = {"name": "x", "scopes": ["read"], "days": "30"}
    asked = client.post("/account/keys/make/", form)
    assert asked.status_code == 302
    assert "/accounts/reauthenticate/" in asked["Location"]
    client.post(asked["Location"], {"password": "not hers"})
    assert not ApiKey.objects.exists()


def test_a_key_is_shown_once_and_kept_as_a_digest(alice: User) -> None:
    client = signed_in()
    page = make(client)
    assert "no-store" in page["Cache-Control"]
    key = shown(page)
    listed = client.get("/account/keys/").content.decode()
    assert key not in listed
    assert "nightly job" in listed
    assert key_format.hint_of(key) in listed
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM house_apikey k")
        [(row,)] = cursor.fetchall()
    assert key not in row
    assert key[12:] not in row


def test_an_account_has_several_keys_and_revokes_one_of_them(alice: User) -> None:
    client = signed_in()
    first, second = shown(make(client)), shown(make(client, name="other"))
    row = ApiKey.objects.get(digest=key_format.digest_of(first))
    client.post(f"/account/keys/{row.pk}/revoke/")
    assert sent(first).get("/api/v1/images/").status_code == 401
    assert sent(second).get("/api/v1/images/").status_code == 200


def test_nobody_revokes_a_key_of_somebody_else(alice: User, mallory: User, as_user: AsUser) -> None:
    key = make_key(alice, "read")
    row = ApiKey.objects.get()
    answer = as_user(mallory).post(f"/account/keys/{row.pk}/revoke/")
    assert answer.status_code == 404
    assert sent(key).get("/api/v1/images/").status_code == 200


def test_scopes_are_offered_by_role(alice: User, bob: User, dora: User, olga: User) -> None:
    assert key_issuing.scopes_for(alice) == FOR_ANYBODY
    assert key_issuing.scopes_for(bob) == [*FOR_ANYBODY, "review"]
    assert key_issuing.scopes_for(dora) == [*FOR_ANYBODY, "export"]
    assert key_issuing.scopes_for(olga) == [*FOR_ANYBODY, "operate"]


@pytest.mark.parametrize("said", [{"scopes": ["review"]}, {"scopes": []}, {"days": "9999"}])
def test_what_is_not_offered_is_refused_beside_the_form(alice: User, said: dict[str, Any]) -> None:
    assert make(signed_in(), **said).status_code == 400
    assert not ApiKey.objects.exists()


def test_an_account_has_a_bounded_number_of_keys(alice: User) -> None:
    for _ in range(key_issuing.MOST_KEYS):
        make_key(alice, "read")
    with pytest.raises(key_issuing.TooManyKeys):
        key_issuing.make(by=alice, name="x", scopes=["read"], days=7, at=timezone.now())


def test_a_shell_makes_one(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_key", "alice", "--scope", "read")
    key = capsys.readouterr().out.strip()
    assert sent(key).get("/api/v1/images/").status_code == 200
    for wrong in (["nobody"], ["alice", "--scope", "review"]):
        with pytest.raises(CommandError):
            call_command("make_key", *wrong)


# ---------------------------------------------------------------- using one


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
def test_a_key_opens_the_api(alice: User, scheme: str) -> None:
    assert sent(make_key(alice, "read"), scheme).get("/api/v1/images/").status_code == 200


@pytest.mark.parametrize("wrong", ["ps_key_x", "", "a b", "0" * 40])
def test_a_key_that_is_none_is_told_so(alice: User, wrong: str) -> None:
    answer = sent(wrong).get("/api/v1/images/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "key_not_good"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_key_ends(alice: User) -> None:
    key = make_key(alice, "read", days=-1)
    assert sent(key).get("/api/v1/images/").status_code == 401


def test_a_key_that_follows_lasts_as_long_and_the_old_one_for_the_overlap(alice: User) -> None:
    make_key(alice, days=90)
    old = ApiKey.objects.get()
    at = old.made_at + timedelta(days=3)
    made, key = key_issuing.rotate(old, overlap_hours=24, at=at)
    assert key_issuing.find(key, at=at) == made
    assert made.expires_at == at + timedelta(days=90)
    old.refresh_from_db()
    assert old.expires_at == at + timedelta(hours=24)


def test_a_closed_account_has_no_way_in_by_key(alice: User) -> None:
    key = make_key(alice, "read")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert sent(key).get("/api/v1/images/").status_code == 401


def test_last_use_is_written_once_a_minute(alice: User) -> None:
    key, now = make_key(alice, "read"), timezone.now()
    key_issuing.find(key, at=now)
    key_issuing.find(key, at=now + timedelta(seconds=59))
    assert ApiKey.objects.get().last_used_at == now
    later = now + timedelta(seconds=60)
    key_issuing.find(key, at=later)
    assert ApiKey.objects.get().last_used_at == later


def test_verifying_with_a_key_has_a_limit_of_its_own(alice: User, rf: Any) -> None:
    from provenance.verify.submitted_files import VerifyThrottle

    stranger, holder = rf.post("/api/v1/verify/"), rf.post("/api/v1/verify/")
    holder.user, holder.auth = alice, object()
    throttle = VerifyThrottle()
    assert throttle.get_cache_key(stranger, None) != throttle.get_cache_key(holder, None)


def test_metrics_open_to_an_operators_key_alone(alice: User, olga: User) -> None:
    assert sent(make_key(olga, "operate")).get("/metrics").status_code == 200
    assert sent(make_key(olga, "read")).get("/metrics").status_code == 404
    assert sent(make_key(alice, "operate")).get("/metrics").status_code == 404


# ---------------------------------------------------------------- every address, every scope


def _patterns(
    found: list[URLPattern | URLResolver], before: str = ""
) -> Iterator[tuple[str, type[APIView]]]:
    for one in found:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns, route)
        elif (view := getattr(one.callback, "cls", None)) is not None:
            yield "/" + re.sub(r"<(\w+):\w+>", lambda said: FILLED[said[1]], route), view


VIEWS = list(_patterns(get_resolver().url_patterns))
CALLS = [
    pytest.param(path, view, method, id=f"{method} {path}")
    for path, view in VIEWS
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    if hasattr(view, method.lower())
]


def test_there_are_addresses_to_check() -> None:
    assert len(CALLS) > 50


@pytest.mark.parametrize(("path", "view", "method"), CALLS)
def test_every_call_opens_to_its_scope_and_to_no_other(
    alice: User, path: str, view: type[APIView], method: str
) -> None:
    """A new view without a `key_scope` fails here, unless it takes no credentials at all."""
    if KeyAuthentication not in view.authentication_classes:
        assert not view.authentication_classes, "sessions alone: say which scope a key needs"
        return
    said = getattr(view, "key_scope", None)
    needed = said.get(method) if isinstance(said, dict) else said
    assert needed in SCOPES, f"{view.__name__} names no scope for {method}"
    for scope in SCOPES:
        client = sent(make_key(alice, scope))
        client.raise_request_exception = False
        answer = client.generic(method, path, "{}", content_type="application/json")
        is_shut = answer.status_code == 403 and b'"key_scope_missing"' in answer.content
        assert is_shut is (scope != needed), f"{scope}: {answer.status_code} {answer.content!r}"
        assert answer.status_code != 401


def test_a_view_that_names_no_scope_takes_no_key(alice: User, rf: Any) -> None:
    class Forgotten(APIView):
        def get(self, request: Any) -> Any:
            raise AssertionError("not reached")

    request = rf.get("/", headers={"Authorization": f"Bearer {make_key(alice, *SCOPES)}"})
    answer = Forgotten.as_view()(request)
    assert answer.status_code == 403


def test_nobody_is_told_to_make_a_key_that_is_not_offered(alice: User, bob: User) -> None:
    def advice(user: User) -> str:
        return str(sent(make_key(user, "read")).get("/api/v1/review/cases/").json()["detail"])

    assert "Make a key with that scope" in advice(bob)
    assert "offered no key" in advice(alice)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_a_method_that_is_not_there_is_no_matter_of_scopes(alice: User, method: str) -> None:
    answer = sent(make_key(alice, *SCOPES)).generic(method, "/api/v1/generations/")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert {each.strip() for each in answer["Allow"].split(",")} >= {"GET", "POST"}


def test_the_schema_says_which_scope_each_call_needs(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    call_command("spectacular", "--format", "openapi-json", "--file", str(file))
    schema = json.loads(file.read_text())
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    posted = schema["paths"]["/api/v1/generations/"]["post"]
    assert posted["x-key-scope"] == "generate"


# ---------------------------------------------------------------- ending


def _by_page(user: User) -> None:
    client = signed_in()
    form = {"oldpassword": PASSWORD, "password1": "quite another one", "password2": ""}
    form["password2"] = form["password1"]
    client.post("/accounts/password/change/", form)


def _by_code(user: User) -> None:
    user.set_password("quite another one")
    user.save()


@pytest.mark.parametrize("change", [_by_page, _by_code])
def test_keys_end_with_the_password(alice: User, change: Callable[[User], None]) -> None:
    key = make_key(alice, "read")
    change(alice)
    assert sent(key).get("/api/v1/images/").status_code == 401


def test_a_hash_that_is_made_stronger_ends_no_key(alice: User, settings: Any) -> None:
    key = make_key(alice, "read")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    before = alice.password
    signed_in()
    alice.refresh_from_db()
    assert alice.password != before
    assert sent(key).get("/api/v1/images/").status_code == 200


def test_keys_end_with_a_suspension(alice: User, bob: User, carol: User) -> None:
    key = make_key(alice, "read")
    suspended(alice, bob, carol)
    assert sent(key).get("/api/v1/images/").status_code == 401


def test_tokens_of_before_become_keys_that_end(alice: User) -> None:
    """The clear text goes with its table; the programs go on for 90 days."""
    token = "0123456789abcdef0123456789abcdef01234567"
    migration = import_module("config.migrations.0002_tokens_become_keys")
    with connection.cursor() as cursor:
        cursor.execute(  # as the table was then
            "ALTER TABLE house_apikey ALTER project_id DROP NOT NULL,"
            " ALTER refusal_as SET DEFAULT 'error', ALTER networks SET DEFAULT '[]'"
        )
        cursor.execute(
            "CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY,"
            " created timestamptz NOT NULL, user_id integer NOT NULL)"
        )
        cursor.execute("INSERT INTO authtoken_token VALUES (%s, now(), %s)", [token, alice.pk])
    with connection.schema_editor(atomic=False) as editor:
        migration.tokens_become_keys(apps, editor)
        migration.tokens_become_keys(apps, editor)  # nothing is left to do
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('authtoken_token')")
        assert cursor.fetchone() == (None,)
    mine = personal.project_of(alice)
    with connection.cursor() as cursor:
        cursor.execute(import_module("config.migrations.0006_keys_of_projects").EACH_TO_ITS_OWNERS)
    row = ApiKey.objects.get()
    assert (row.owner, row.project) == (alice, mine)
    assert row.scopes == ["export", "generate", "operate", "read", "review", "verify"]
    assert timedelta(days=89) < row.expires_at - timezone.now() < timedelta(days=91)
    assert sent(token, "Token").get("/api/v1/images/").status_code == 200
