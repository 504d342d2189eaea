"""Reporting a picture on the pages and over the API, signed in or not."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from adapters.models import AdapterExample
from generation.models import GeneratedImage
from moderation.decisions import enforcing
from moderation.models import Appeal, Report, ReviewCase
from moderation.reports import report_limits, reporting
from provenance.log import transparency_log
from provenance.verify import sightings
from tests.factories import make_adapter, make_image, make_model, png
from tests.moderation.makers import claimed
from tests.provenance.conftest import record, seal
from tests.provenance.files import saved
from tests.provenance.pictures import photograph
from tests.provenance.test_verify_interfaces import upload
from tests.rewriting import rewritten

FORM = {"category": "nudity", "explanation": "<b>undressed</b>", "is_in_good_faith": "on"}
API = {"category": "hate", "explanation": "A slur.", "good_faith": True}


@pytest.fixture(autouse=True)
def _no_limits_left_over(db: None) -> None:
    cache.clear()


@pytest.fixture
def image(alice: User) -> GeneratedImage:
    return make_image(alice, make_model())


def url(name: str, *args: Any) -> str:
    return reverse(f"moderation:{name}", args=args)


def body(response: Any) -> str:
    text: str = response.content.decode()
    return text


def seen(image: GeneratedImage) -> str:
    """What verifying the picture hands out."""
    return sightings.give(image.id, at=timezone.now())


def form(image: GeneratedImage, **said: str) -> dict[str, str]:
    return FORM | {"sighting": seen(image)} | said


def kept(image: GeneratedImage, by: User, **said: str) -> Report:
    """A report of the picture, decided: it stays."""
    now = timezone.now()
    sent = reporting.SentReport(seen(image), "nudity", "<i>look</i>", True, **said)
    report = reporting.submit(sent, sender=report_limits.Sender(None, "a" * 64), at=now)
    case, token = claimed(report.case, by, at=now)
    enforcing.decide(case, by=by, action="allow", reason="within_policy", token=token, at=now)
    return report


# ------------------------------------------------------------------ the form
def test_a_stranger_reports_and_gets_a_receipt(client: Client, image: GeneratedImage) -> None:
    assert "Your e-mail address" in body(client.get(url("report"), {"sighting": seen(image)}))
    answer = client.post(url("report"), form(image, name="Eve"), follow=True)
    page = body(answer)
    assert "Waits for a person" in page
    assert "&lt;b&gt;undressed" in page
    assert "red apple" not in page
    assert "no-store" in answer["Cache-Control"]
    assert Report.objects.get().name == "Eve"


def test_somebody_signed_in_is_not_asked_who_it_is(
    as_user: Any, image: GeneratedImage, mallory: User
) -> None:
    client = as_user(mallory)
    assert "Your e-mail address" not in body(client.get(url("report"), {"sighting": seen(image)}))
    client.post(url("report"), form(image, name="Eve"))
    report = Report.objects.get()
    assert (report.notifier, report.name, report.sender) == (mallory, "", "")
    assert url("reported") in body(client.get(url("appeals")))
    assert report.get_absolute_url() in body(client.get(url("reported")))
    again = client.post(url("report"), form(image))
    assert (again.status_code, "already_reported" in body(again)) == (409, True)


@pytest.mark.parametrize("missing", ["category", "explanation", "is_in_good_faith"])
def test_half_a_form_comes_back_with_what_was_typed(
    client: Client, image: GeneratedImage, missing: str
) -> None:
    half = {name: said for name, said in FORM.items() if name != missing}
    answer = client.post(url("report"), half | {"name": "Eve Long", "sighting": seen(image)})
    assert answer.status_code == 422
    assert "Eve Long" in body(answer)
    assert not ReviewCase.objects.exists()


@pytest.mark.parametrize("state", ["released", "held", "withheld", "deleted", "unknown"])
def test_a_number_is_answered_alike_whatever_became_of_its_picture(
    client: Client, alice: User, state: str
) -> None:
    image_id = uuid4()
    if state != "unknown":
        kept_as = "released" if state == "deleted" else state
        image = make_image(alice, make_model(), state=kept_as)
        image_id = image.id
        if state == "deleted":
            image.mark_deleted(at=timezone.now())
    for ask in (client.get, client.post):
        with CaptureQueriesContext(connection) as asked:
            answer = ask(f"/images/{image_id}/report/", FORM)
        assert (answer.status_code, answer["Location"]) == (307, url("report"))
        assert not any("generation_" in row["sql"] for row in asked.captured_queries)
    told = client.post(f"/images/{image_id}/report/", FORM, follow=True)
    assert (told.status_code, "picture_not_shown" in body(told)) == (422, True)
    assert not ReviewCase.objects.exists()


def test_who_has_a_picture_that_is_not_public_is_told_so(client: Client, alice: User) -> None:
    held = make_image(alice, make_model(), state="held")
    opened = client.get(url("report"), {"sighting": seen(held)})
    assert (opened.status_code, "picture_not_public" in body(opened)) == (404, True)
    sent = client.post(url("report"), form(held))
    assert (sent.status_code, "picture_not_public" in body(sent)) == (404, True)


def test_the_report_page_asks_for_the_picture_first(client: Client) -> None:
    page = client.get(url("report"))
    assert page.status_code == 200
    assert f'action="{reverse("provenance:verify")}"' in body(page)


def test_a_stranger_verifies_a_file_and_reports_it_from_there(client: Client, alice: User) -> None:
    made = record(seal(photograph("astronaut")))
    transparency_log.sequence(at=timezone.now())
    image = make_image(alice, make_model(), id=made.id)
    page = body(client.post(reverse("provenance:verify"), upload(made.sealed.data)))
    [address] = re.findall(r'href="(/report/[^"]+)"', page)
    opened = client.get(address)
    [token] = re.findall(r'name="sighting" value="([^"]+)"', body(opened))
    done = client.post(url("report"), FORM | {"sighting": token})
    assert done.status_code == 302
    told = client.post("/api/v1/verify/", upload(made.sealed.data)).json()
    said = API | {"sighting": told["sighting"], "category": "unlawful"}
    answer = client.post("/api/v1/notices/", said, content_type="application/json")
    assert (answer.status_code, answer.json()["image"]) == (201, str(image.id))
    other = client.post("/api/v1/verify/", upload(saved(photograph("rocket"), "png"))).json()
    assert other["sighting"] is None


def test_an_address_may_report_only_so_often(client: Client, image: GeneratedImage) -> None:
    for _ in range(20):
        client.post(url("report"), form(image))
    answer = client.post(url("report"), form(image))
    assert (answer.status_code, "too_many_notices" in body(answer)) == (429, True)


def test_an_unknown_receipt_is_404(client: Client) -> None:
    assert client.get(url("receipt", uuid4())).status_code == 404
    assert client.post(url("contest", uuid4()), {"grounds": "x"}).status_code == 404


def test_the_number_of_a_notice_opens_no_receipt(client: Client, image: GeneratedImage) -> None:
    client.post(url("report"), form(image))
    assert client.get(url("receipt", Report.objects.get().id)).status_code == 404


# ------------------------------------------------------------------ where it is offered
def test_verifying_a_picture_that_is_not_ours_offers_nothing() -> None:
    report = {"is_ours": False, "disclosure": None}
    theirs = render_to_string("provenance/verify.html", {"report": report, "sighting": None})
    assert "Report this picture" not in theirs


def test_an_example_can_be_reported_even_when_its_image_is_deleted(
    as_user: Any, image: GeneratedImage, mallory: User
) -> None:
    adapter = make_adapter(image.request.model, owner=image.owner)
    example = AdapterExample(adapter=adapter, position=0, prompt="a bowl", seed=1, state="shown")
    example.image_id, example.sha256 = image.id, "c" * 64
    example.file.save("example.png", ContentFile(png()))
    client = as_user(mallory)
    page = body(client.get(reverse("adapters:adapter", args=[adapter.slug])))
    address = reverse("adapters:report", args=[adapter.slug, 0])
    assert address in page
    image.mark_deleted(at=timezone.now())
    assert "Send the report" in body(client.get(address, follow=True))
    client.post(url("report"), form(image))
    case = ReviewCase.objects.get()
    assert (case.evidence["prompt"], case.owner) == ("a bowl", image.owner)


# ------------------------------------------------------------------ the desk
def test_the_case_shows_what_was_reported_and_never_by_whom(
    client: Client, as_user: Any, image: GeneratedImage, bob: User
) -> None:
    client.post(url("report"), form(image, name="Evelyn", email="eve@example.org"))
    desk = as_user(bob)
    assert "Reported</span> Nudity" in body(desk.get(url("review")))
    page = body(desk.post(url("claim", ReviewCase.objects.get().id), follow=True))
    assert "reported for nudity" in page
    assert "&lt;b&gt;undressed" in page
    assert "manifestly unfounded" in page
    assert "Evelyn" not in page
    assert "eve@example.org" not in page


def test_a_senior_hears_a_notifiers_appeal_on_its_page(
    client: Client, as_user: Any, image: GeneratedImage, bob: User, carol: User
) -> None:
    report = kept(image, bob)
    receipt = client.get(report.get_absolute_url())
    assert "The picture stays" in body(receipt)
    client.post(url("contest", report.receipt_key), {"grounds": "Look again."})
    appeal = Appeal.objects.get()
    desk = as_user(carol)
    page = body(desk.get(appeal.get_absolute_url()))
    assert "Appeal by whoever reported an image" in page
    assert "&lt;i&gt;look" in page
    nothing = desk.post(url("hear", appeal.id), {"outcome": "reversed", "reasons": "Yes."})
    assert "reason_unknown" in body(nothing)
    form = {"outcome": "reversed", "reasons": "Yes, indeed.", "category": "nudity"}
    desk.post(url("hear", appeal.id), form)
    image.refresh_from_db()
    assert image.state == "withheld"
    page = body(client.get(report.get_absolute_url()))
    assert "The picture is withheld" in page
    assert "Yes, indeed." in page


def test_somebody_signed_in_reads_the_own_appeal_and_others_do_not(
    as_user: Any, image: GeneratedImage, bob: User, mallory: User, dora: User
) -> None:
    report = kept(image, bob)
    with rewritten(Report):
        Report.objects.filter(id=report.id).update(notifier=mallory, sender="")
    client = as_user(mallory)
    client.post(url("contest", report.receipt_key), {"grounds": "Look again."})
    appeal = Appeal.objects.get(appellant=mallory)
    assert "stays" in body(client.get(appeal.get_absolute_url()))
    assert "red apple" not in body(client.get(appeal.get_absolute_url()))
    assert as_user(dora).get(appeal.get_absolute_url()).status_code == 404
    [row] = client.get("/api/v1/appeals/").json()["results"]
    assert (row["id"], row["statement"]) == (str(appeal.id), None)
    client.post(url("withdraw", appeal.id))
    assert Appeal.objects.get().status == "withdrawn"
    assert client.get(url("appeals")).status_code == 200


# ------------------------------------------------------------------ the API
def test_the_api_takes_a_report_without_an_account(
    client: Client, image: GeneratedImage, bob: User
) -> None:
    form = API | {"sighting": seen(image)}
    made = client.post("/api/v1/notices/", form, content_type="application/json")
    assert made.status_code == 201
    receipt = made.json()
    assert (receipt["state"], receipt["ground"]) == ("waiting", "")
    assert client.get(f"/api/v1/notices/{receipt['receipt']}/").json() == receipt
    again = client.post("/api/v1/notices/", form, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_reported")


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"good_faith": False}, 422, "good_faith_missing"),
        ({"category": "boring"}, 422, "ground_unknown"),
        ({"explanation": ""}, 400, "invalid"),
        ({"email": "nobody"}, 400, "invalid"),
        ({"sighting": ""}, 422, "picture_not_shown"),
        ({"sighting": "x:y"}, 422, "sighting_invalid"),
    ],
)
def test_the_api_says_what_is_wrong(
    client: Client, image: GeneratedImage, said: dict[str, Any], status: int, code: str
) -> None:
    form = API | {"sighting": seen(image)} | said
    answer = client.post("/api/v1/notices/", form, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_api_takes_an_appeal_once(client: Client, image: GeneratedImage, bob: User) -> None:
    address = f"/api/v1/notices/{kept(image, bob).receipt_key}/appeal/"
    form = {"grounds": "Look again."}
    made = client.post(address, form, content_type="application/json")
    assert (made.status_code, made.json()["appeal_status"]) == (201, "lodged")
    again = client.post(address, form, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_appealed")
    assert Appeal.objects.count() == 1


def test_an_unknown_receipt_is_a_problem_404(client: Client, db: None) -> None:
    answer = client.get(f"/api/v1/notices/{uuid4()}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "notice_not_found")
