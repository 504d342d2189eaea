"""What every page shares: the masthead, the errors, the headers, and home."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from adapters.models import BaseModel
from tests.factories import make_image

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
NOBODYS = "00000000-0000-4000-8000-000000000000"
PRIVATE_PAGES = ["generation:studio", "generation:gallery", "generation:account"]
IMPORT_THE_WEB_PROCESS = """
import sys, config.asgi
from django.urls import get_resolver
def walk(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            walk(pattern)
        else:
            pattern.callback
walk(get_resolver())
heavy = {"torch", "diffusers", "transformers", "peft", "onnxruntime"} & set(sys.modules)
sys.exit(f"the web process imported {sorted(heavy)}" if heavy else 0)
"""


def masthead(page: str) -> list[str]:
    """The words of the masthead's links."""
    head = page.split("</header>")[0].split("<header")[1]
    return [word.strip() for word in re.findall(r"<a [^>]*>([^<]+)</a>", head)]


def test_home_shows_a_visitor_how_to_come_in(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "Every refusal contestable." in page
    assert reverse("account_signup") in page
    assert reverse("account_login") in page


@pytest.mark.parametrize("name", PRIVATE_PAGES)
def test_visitors_are_sent_to_sign_in_and_back(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={reverse(name)}"


def test_masthead_offers_each_person_only_what_they_may_use(
    client: Client, alice: User, bob: User, as_user: AsUser
) -> None:
    visitor = masthead(client.get("/").content.decode())
    assert "Studio" not in visitor
    assert "Sign in" in visitor
    submits = masthead(as_user(alice).get("/").content.decode())
    assert {"Studio", "Gallery", "alice"} <= set(submits)
    assert "Review" not in submits
    assert "Admin" not in submits
    assert "Review" in masthead(as_user(bob).get("/").content.decode())


def test_masthead_offers_the_operator_the_admin_and_the_capacity_page(
    alice: User, olga: User, as_user: AsUser
) -> None:
    assert {"Admin", "Capacity"} <= set(masthead(as_user(olga).get("/").content.decode()))
    assert "Capacity" not in masthead(as_user(alice).get("/").content.decode())


def test_masthead_marks_the_page_and_the_section_it_belongs_to(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    image = make_image(alice, model)
    assert 'href="/studio/" aria-current="page"' in client.get("/studio/").content.decode()
    page = client.get(f"/images/{image.id}/").content.decode()
    assert 'href="/gallery/" aria-current="true"' in page


def test_every_page_can_be_skipped_into(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert 'href="#main"' in page
    assert '<main id="main"' in page


class InlineCode(HTMLParser):
    """Collects whatever the content security policy would stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        is_data = str(said.get("type", "")).endswith("json")
        if tag == "style" or (tag == "script" and "src" not in said and not is_data):
            self.found.append(f"<{tag}>")
        self.found += [name for name in said if name == "style" or name.startswith("on")]


def test_pages_hold_no_inline_script_or_style(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    image = make_image(alice, model)
    paths = ["/", "/studio/", "/gallery/", "/account/", f"/images/{image.id}/", "/accounts/2fa/"]
    for path in paths:
        answer = client.get(path)
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        reader = InlineCode()
        reader.feed(answer.content.decode())
        assert reader.found == [], path


def test_pages_of_one_person_are_kept_by_no_cache(alice: User, as_user: AsUser) -> None:
    assert "no-store" in as_user(alice).get("/studio/")["Cache-Control"]


def test_unknown_address_answers_with_our_404(client: Client) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "No such frame" in answer.content.decode()


def test_domain_errors_show_sentence_advice_and_code(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    answer = as_user(alice).get(f"/images/{uuid4()}/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "There is no such image." in page
    assert "your gallery shows what there is" in page
    assert "image_not_found" in page


def test_a_crash_shows_our_500_without_details(
    alice: User, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("generation.studio.studio_views.request_cards", crash)
    client = as_user(alice)
    client.raise_request_exception = False
    answer = client.get("/studio/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


def test_forms_without_their_token_are_refused_with_our_page(alice: User, model: BaseModel) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post("/studio/submit/", {"prompt": "a red apple"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/studio/submit/",
        f"/requests/{NOBODYS}/cancel/",
        f"/requests/{NOBODYS}/remove/",
        f"/images/{NOBODYS}/again/",
        f"/images/{NOBODYS}/vary/",
        "/account/keys/make/",
        "/account/keys/1/revoke/",
    ],
)
def test_nothing_is_changed_by_following_a_link(alice: User, as_user: AsUser, path: str) -> None:
    assert as_user(alice).get(path).status_code == 405


def test_web_process_never_imports_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_THE_WEB_PROCESS],
        cwd=settings.ROOT,
        env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "config.settings"}
        | {"PROOFSHEET_STATE_DIR": str(settings.STATE_DIR)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-500:]
