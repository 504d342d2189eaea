"""What a product reads and does for those whom it serves, and under whose name they read it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from config.core import events
from config.core.projects import end_users, personal
from config.core.projects.models import EndUser, Membership, Organisation, Project
from config.core.storage import private_storage
from config.models import ApiKey
from generation.models import GenerationRequest
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Appeal, Decision
from moderation.notifications import mails
from moderation.public_notices import addresses, issuers
from moderation.subjects.subject import Action, Subject
from tests.factories import make_key, make_model, make_request, png
from tests.moderation.makers import claimed, evidence, refused_by_machine


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


@pytest.fixture
def product(alice: User) -> Project:
    made = Project.objects.create(name="internal-7", created_at=timezone.now())
    Membership.objects.create(project=made, user=alice, role="owner", since=made.created_at)
    return made


@pytest.fixture
def eve(product: Project) -> EndUser:
    return end_users.seen(product, "eve")


@pytest.fixture
def refusal(alice: User, eve: EndUser) -> Decision:
    return refused_by_machine(alice, at=timezone.now(), end_user=eve)


def calling(owner: User, project: Project | None = None, *scopes: str) -> Any:
    """A program that calls with a key of the project."""
    key = make_key(owner, *scopes)
    if project is not None:
        ApiKey.objects.filter(hint__startswith=key[:11]).update(project=project)

    def call(method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return Client().generic(
            method, path, data=_json(body), content_type="application/json", headers=headers
        )

    return call


def _json(body: dict[str, Any]) -> str:
    import json

    return json.dumps(body)


def paths(decision: Decision) -> tuple[str, str]:
    before = f"/api/v1/statements/{decision.statement.id}"
    return f"{before}/notice/", f"{before}/appeal/"


def test_notice_says_in_json_what_the_page_says(
    alice: User, product: Project, refusal: Decision
) -> None:
    said = calling(alice, product, "read")("GET", paths(refusal)[0]).json()
    assert said["statement_url"] == addresses.address_of(refusal)
    page = Client().get(said["statement_url"].removeprefix(settings.PUBLIC_URL)).content.decode()
    for name in ("restriction", "duration", "means", "rule"):
        assert said["statement"][name] in page
    assert (said["redress"] in page, said["may_appeal"], said["appeal"]) == (True, True, None)
    assert "alice" not in str(said)


def test_product_appeals_for_its_end_user(
    alice: User, product: Project, refusal: Decision, carol: User, mailoutbox: Any
) -> None:
    call = calling(alice, product, "appeals.act", "read")
    answer = call("POST", paths(refusal)[1], grounds="A candle.", email="eve@example.org")
    assert answer.status_code == 201
    assert answer.json()["appeal"]["status"] == "lodged"
    assert "candle" not in answer.content.decode()
    appeal = Appeal.objects.get()
    assert (appeal.end_user, appeal.project) == (refusal.end_user, product)
    assert list(hearing.waiting_for(carol)) == [appeal]
    page = answer.json()["appeal_url"].removeprefix(settings.PUBLIC_URL)
    assert "A candle." in Client().get(page).content.decode()
    hearing.hear(appeal, by=carol, outcome="upheld", reasons="So it is.", at=timezone.now())
    mails.mail_appeal(appeal.id)
    assert mailoutbox[-1].to == ["eve@example.org"]
    assert answer.json()["appeal_url"] in mailoutbox[-1].body
    assert call("GET", paths(refusal)[0]).json()["appeal"]["reasons"] == "So it is."


def test_product_is_told_that_its_end_user_appealed_and_how_it_ended(
    product: Project, eve: EndUser, refusal: Decision, carol: User
) -> None:
    heard: list[events.ProjectEvent] = []

    def listen(event: events.ProjectEvent, **_: Any) -> None:
        heard.append(event)

    events.told.connect(listen)
    path = addresses.address_of(refusal).removeprefix(settings.PUBLIC_URL)
    Client().post(f"{path}/appeal", {"grounds": "A candle.", "email": "eve@example.org"})
    appeal = Appeal.objects.get()
    hearing.hear(appeal, by=carol, outcome="reversed", reasons="So.", at=timezone.now())
    assert {event.project_id for event in heard} == {product.id}
    types = {event.type for event in heard}
    assert {"appeal.received", "appeal.decided", "decision.overturned"} <= types
    said = str([event.said() for event in heard])
    assert str(eve.id) in said
    assert "candle" not in said
    assert "eve@" not in said


def test_product_appeals_without_words_and_once(
    alice: User, product: Project, refusal: Decision
) -> None:
    call = calling(alice, product, "appeals.act")
    assert call("POST", paths(refusal)[1], grounds="").status_code == 201
    again = call("POST", paths(refusal)[1], grounds="")
    assert (again.status_code, again.json()["code"]) == (409, "already_appealed")


@pytest.mark.parametrize("body", [{}, {"email": "eve@example.org"}, {"grounds": None}])
def test_appeal_that_says_nothing_is_refused_by_name_and_spends_none(
    alice: User, product: Project, refusal: Decision, body: dict[str, Any]
) -> None:
    call = calling(alice, product, "appeals.act")
    answer = call("POST", paths(refusal)[1], **body)
    assert answer.status_code == 400
    assert "grounds" in answer.content.decode()
    assert not Appeal.objects.exists()
    assert call("POST", paths(refusal)[1], grounds="A candle.").status_code == 201


def test_appeal_for_an_end_user_needs_its_scope(
    alice: User, product: Project, refusal: Decision
) -> None:
    answer = calling(alice, product, "generate", "read")("POST", paths(refusal)[1])
    assert (answer.status_code, answer.json()["code"]) == (403, "key_scope_missing")


def test_other_projects_find_nothing(
    alice: User, mallory: User, product: Project, refusal: Decision
) -> None:
    for call in (calling(mallory), calling(alice)):  # her own project's key sees no other project
        assert call("GET", paths(refusal)[0]).status_code == 404
        assert call("POST", paths(refusal)[1], grounds="").status_code == 404
    assert not Appeal.objects.exists()


def test_project_appeals_for_nobody_but_its_end_users(alice: User) -> None:
    own = refused_by_machine(alice, at=timezone.now())
    answer = calling(alice, None, "appeals.act")("POST", paths(own)[1], grounds="")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_for_an_end_user")


def test_whoever_lodged_for_an_end_user_may_not_hear_it(
    carol: User, product: Project, refusal: Decision
) -> None:
    Membership.objects.create(project=product, user=carol, role="developer", since=timezone.now())
    heard = calling(carol, product, "appeals.act")("POST", paths(refusal)[1], grounds="")
    assert heard.status_code == 201
    with pytest.raises(hearing.SameDecider):
        hearing.find_to_hear(Appeal.objects.get().id, by=carol)


def opened(decision: Decision) -> str:
    path = addresses.address_of(decision).removeprefix(settings.PUBLIC_URL)
    return Client().get(path).content.decode()


def test_page_is_the_houses_where_a_project_says_nothing(refusal: Decision) -> None:
    page = opened(refusal)
    assert f"Issued by {settings.PROOFSHEET_PROVIDER}." in page
    assert "internal-7" not in page


def test_page_stands_under_the_products_name_and_issuer(
    product: Project, refusal: Decision
) -> None:
    product.notice_name, product.notice_address = "Pix <Ltd>", "1 Main Street"
    product.save()
    house = settings.PROOFSHEET_PROVIDER
    assert f"Issued by {house} for Pix &lt;Ltd&gt;, 1 Main Street." in opened(refusal)
    product.statement_issuer = "project"
    product.save()
    page = opened(refusal)
    assert "Issued by Pix &lt;Ltd&gt;, 1 Main Street." in page
    assert f"appeals heard by {house}" in page


def test_logo_is_shown_to_holders_of_an_address_alone(product: Project, refusal: Decision) -> None:
    product.notice_logo = private_storage().save("logos/a.png", ContentFile(png()))
    product.save()
    path = addresses.address_of(refusal).removeprefix(settings.PUBLIC_URL)
    assert f'src="{path}/logo"' in opened(refusal)
    answer = Client().get(f"{path}/logo")
    assert (answer.content, answer["Content-Type"]) == (png(), "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert Client().get("/r/none/logo").status_code == 404


@pytest.mark.parametrize("name", ["logos/gone.png", "logos/a.svg", "logos/large.png"])
def test_logo_that_cannot_be_shown_is_left_out(
    product: Project, refusal: Decision, name: str
) -> None:
    if name == "logos/large.png":
        large = ContentFile(b"0" * (issuers.LOGO_MAX_BYTES + 1))
        name = private_storage().save(name, large)
    product.notice_logo = name
    product.save()
    path = addresses.address_of(refusal).removeprefix(settings.PUBLIC_URL)
    assert Client().get(f"{path}/logo").status_code == 404
    assert "Your prompt was refused" in opened(refusal)


def test_an_owner_gives_the_notices_a_logo(
    alice: User,
    bob: User,
    product: Project,
    refusal: Decision,
    django_capture_on_commit_callbacks: Any,
) -> None:
    page = Client()
    page.force_login(alice)
    sent = SimpleUploadedFile("a.svg.exe", png() + b"<script>", "image/svg+xml")
    assert page.post(f"/projects/{product.id}/logo/", {"logo": sent}).status_code == 302
    product.refresh_from_db()
    first = product.notice_logo
    path = addresses.address_of(refusal).removeprefix(settings.PUBLIC_URL)
    shown = Client().get(f"{path}/logo")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert shown.content.startswith(b"\x89PNG")
    assert b"<script>" not in shown.content
    assert f'src="{path}/logo"' in opened(refusal)
    for bad in (b"<svg/>", b"", b"0" * (issuers.LOGO_MAX_BYTES + 1)):
        wrong = SimpleUploadedFile("a.png", bad, "image/png")
        answer = page.post(f"/projects/{product.id}/logo/", {"logo": wrong})
        assert answer.status_code == 422
        assert "PNG, JPEG or WebP" in answer.content.decode()
    Membership.objects.create(project=product, user=bob, role="developer", since=timezone.now())
    other = Client()
    other.force_login(bob)
    assert other.post(f"/projects/{product.id}/logo/").status_code == 403
    product.refresh_from_db()
    assert product.notice_logo == first
    with django_capture_on_commit_callbacks(execute=True):
        assert page.post(f"/projects/{product.id}/logo/").status_code == 302
    product.refresh_from_db()
    assert product.notice_logo == ""
    assert not private_storage().exists(first)


def test_whoever_holds_the_address_takes_their_appeal_back(
    product: Project, refusal: Decision, carol: User
) -> None:
    path = addresses.address_of(refusal).removeprefix(settings.PUBLIC_URL)
    assert Client().post(f"{path}/withdraw").status_code == 409
    Client().post(f"{path}/appeal", {"grounds": "A candle.", "email": "eve@example.org"})
    assert f'action="{path}/withdraw"' in opened_at(f"{path}/appeal")
    assert Client().get(f"{path}/withdraw").status_code == 405
    assert Appeal.objects.get().status == "lodged"
    assert Client().post(f"{path}/withdraw").status_code == 302
    appeal = Appeal.objects.get()
    assert (appeal.status, appeal.email) == ("withdrawn", "")
    page = opened_at(f"{path}/appeal")
    assert "The appeal was withdrawn" in page
    assert f'action="{path}/withdraw"' not in page
    assert Client().post(f"{path}/withdraw").status_code == 409
    assert Client().post(f"{path}/appeal").status_code in (409, 422)


def test_nobody_takes_back_what_somebody_else_lodged_or_somebody_hears(
    alice: User, carol: User
) -> None:
    decision = refused_by_machine(alice, at=timezone.now())
    path = addresses.address_of(decision).removeprefix(settings.PUBLIC_URL)
    appeal = hearing.lodge(decision, by=alice, grounds="Hers.", at=timezone.now())
    assert Client().post(f"{path}/withdraw").status_code == 409
    appeal.refresh_from_db()
    assert appeal.status == "lodged"
    hearing.hear(appeal, by=carol, outcome="upheld", reasons="So.", at=timezone.now())
    assert Client().post(f"{path}/withdraw").status_code == 409


def opened_at(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_projects_own_notice_without_an_address_tells_the_organisations(
    product: Project, refusal: Decision
) -> None:
    product.organisation = Organisation.objects.create(
        name="Pix Ltd", contact="law@pix.example", created_at=product.created_at
    )
    product.save()
    refusal.refresh_from_db()
    assert issuers.issuer_of(refusal).address == ""
    assert "law@pix.example" not in opened(refusal)
    Project.objects.update(statement_issuer="project")
    refusal.refresh_from_db()
    assert issuers.issuer_of(refusal).address == "law@pix.example"
    Project.objects.update(notice_address="1 Main Street")
    refusal.refresh_from_db()
    assert issuers.issuer_of(refusal).address == "1 Main Street"


def test_a_statement_leads_back_to_a_prompt_that_is_there_and_was_no_more_than_refused(
    alice: User, bob: User, carol: User
) -> None:
    page, now = Client(), timezone.now()
    page.force_login(alice)

    def has_way_back(row: Decision) -> bool:
        return b"Edit and try again" in page.get(row.statement.get_absolute_url()).content

    def refused(action: Action, reason: str) -> Decision:
        asked = make_request(alice, model, status="finished", project=personal.project_of(alice))
        subject = Subject("prompt", asked.pk, alice.pk, asked.project_id)
        case = review_cases.open_case(subject=subject, evidence=evidence(), at=now)
        return enforcing.enforce(
            claimed(case, bob, at=now)[0], by=bob, action=action, reason=reason,
            explanation="", at=now, confirmed_by=carol,
        )  # fmt: skip

    model = make_model()
    row = refused("refuse", "nudity")
    assert has_way_back(row)
    asked = GenerationRequest.objects.get(pk=row.subject_id)
    assert page.get(f"/?like={asked.pk}").status_code == 200
    asked.mark_deleted(at=now)
    assert not has_way_back(row)
    assert not has_way_back(refused("warn", "nudity"))
    assert not has_way_back(refused("refuse", "minors"))
