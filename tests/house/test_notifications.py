"""One list of what was decided or is ready, out of every room, and how much of it is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from adapters.models import Adapter
from config.core.notifications import feed
from config.core.projects.models import Membership
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Decision, Export
from moderation.notifications import news
from moderation.subjects.subject import Action, Subject
from tests.factories import make_adapter, make_image, make_model, make_request
from tests.moderation.makers import PROMPT, claimed, evidence, prompt_case, refused_by_machine
from tests.projects.makers import make_project

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def reader(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def count(client: Client) -> str:
    return client.get("/notifications/unread/").content.decode().strip()


def titles(user: User) -> list[str]:
    return [told.title for _, told in feed.newest(user, limit=30)]


def test_a_refusal_and_what_became_of_its_appeal_are_told(
    alice: User, carol: User, reader: Client
) -> None:
    assert count(reader) == ""
    refusal = refused_by_machine(alice, at=timezone.now())
    assert ">1<" in count(reader)
    page = reader.get("/notifications/").content.decode()
    assert refusal.statement.get_absolute_url() in page
    assert "New" in page
    reader.post("/notifications/read/")
    assert count(reader) == ""
    assert "New" not in reader.get("/notifications/").content.decode()
    appeal = hearing.lodge(refusal, by=alice, grounds="It is a <b>hat</b>.", at=timezone.now())
    assert count(reader) == ""
    hearing.hear(appeal, by=carol, outcome="reversed", reasons="It is.", at=timezone.now())
    page = reader.get("/notifications/").content.decode()
    assert "Your appeal was decided: decision reversed" in page
    assert "It is a &lt;b&gt;hat&lt;/b&gt;." in page
    assert "Your prompt was allowed" in page


@pytest.mark.parametrize(("reported", "told"), [({}, 1), ({"is_reported": True}, 0)])
def test_what_was_held_and_is_allowed_is_told_and_what_was_never_held_is_not(
    alice: User, bob: User, reported: dict[str, Any], told: int
) -> None:
    now = timezone.now()
    case, token = claimed(prompt_case(alice, at=now, **reported), bob, at=now)
    enforcing.decide(case, by=bob, action="allow", reason="within_policy", token=token, at=now)
    assert titles(alice) == ["Your prompt was allowed"] * told


def test_nobody_is_told_what_is_anothers(
    alice: User, bob: User, client: Client, reader: Client
) -> None:
    refused_by_machine(alice, at=timezone.now())
    other = Client()
    other.force_login(bob)
    assert count(other) == ""
    assert "Nothing yet" in other.get("/notifications/").content.decode()
    assert Client().get("/notifications/").status_code == 302


def test_long_work_and_failures_of_ones_own_are_told(alice: User) -> None:
    model, now = make_model(), timezone.now()
    ends: list[dict[str, Any]] = [
        {"status": RequestStatus.FINISHED, "made": 1, "ended_at": now + timedelta(minutes=3)},
        {"status": RequestStatus.FINISHED, "made": 1, "ended_at": now + timedelta(seconds=3)},
        {"status": RequestStatus.FAILED, "code": "worker_lost", "ended_at": now},
    ]
    for said in ends:
        row = make_request(alice, model, status=said["status"])
        GenerationRequest.objects.filter(pk=row.pk).update(created_at=now, **said)
    kept = make_request(alice, model, status=RequestStatus.FINISHED)
    GenerationRequest.objects.filter(pk=kept.pk).update(created_at=now, **ends[0])
    make_image(alice, model, request=kept, state=ImageState.HELD)  # its decision tells of it
    of_team = make_request(alice, model, status=RequestStatus.FAILED, project=make_project(alice))
    assert of_team.status == "failed"
    first = GenerationRequest.objects.exclude(pk=kept.pk).get(ended_at__gt=now + 2 * MINUTE)
    image = make_image(alice, model, request=first)
    told = [told for _, told in feed.newest(alice, limit=30)]
    assert [each.title for each in told] == [
        "1 picture is ready",
        "A request failed: The workers that tried to make this image stopped before it was done.",
    ]
    assert (told[0].image, told[0].words) == (image.id, first.prompt)


def test_verdicts_of_adapters_and_exports_are_told(alice: User) -> None:
    now, model, team = timezone.now(), make_model(), make_project(alice)
    make_adapter(model, owner=alice, name="Ink", validated_at=now)
    make_adapter(model, owner=alice, slug="wait", sha256="ef" * 32, validated_at=None)
    export = Export.objects.create(
        project=team, kind="decisions", first=now.date(), last=now.date(), made_by=alice,
        made_at=now,
    )  # fmt: skip
    gone = make_adapter(model, owner=alice, slug="gone", sha256="ab" * 32, validated_at=now)
    Adapter.objects.filter(pk=gone.pk).update(state=Adapter.State.WITHDRAWN, withdrawn_at=now)
    assert titles(alice) == ["An adapter is ready"]
    export.become_ready(file="exports/x.zip", sha256="ab" * 32, size_bytes=1, at=now)
    assert sorted(titles(alice)) == ["An adapter is ready", "An export is ready"]
    Membership.objects.filter(project=team).delete()
    assert titles(alice) == ["An adapter is ready"]


def test_older_ones_come_page_by_page_and_each_once(alice: User, reader: Client) -> None:
    at = timezone.now()
    for n in range(35):
        refused_by_machine(alice, at=at - timedelta(minutes=n))
    first = reader.get("/notifications/")
    rest = reader.get("/notifications/", {"before": first.context["older"].isoformat()})
    shown = [told.url for page in (first, rest) for _, told, _ in page.context["rows"]]
    assert len(shown) == len(set(shown)) == 35
    assert rest.context["older"] is None


@pytest.mark.parametrize(
    "until", ["", "yesterday", "9999-99-99", "2026-11-30", "9999-12-31T00:00Z"]
)
def test_what_is_no_moment_reads_all_that_there_is_and_nothing_of_tomorrow(
    alice: User, reader: Client, until: str
) -> None:
    refused_by_machine(alice, at=timezone.now())
    assert reader.post("/notifications/read/", {"until": until}).status_code == 302
    assert count(reader) == ""
    refused_by_machine(alice, at=timezone.now())
    assert ">1<" in count(reader)
    assert reader.get("/notifications/", {"before": until}).status_code == 200


def test_a_page_that_was_open_for_long_takes_nothing_back(alice: User, reader: Client) -> None:
    refused_by_machine(alice, at=timezone.now())
    reader.post("/notifications/read/")
    long_ago = timezone.now() - timedelta(days=1)
    answer = reader.post(
        "/notifications/read/", {"until": long_ago.isoformat()}, headers={"HX-Request": "true"}
    )
    assert (answer.content, answer["HX-Trigger"]) == (b"", "notifications-read")
    assert count(reader) == ""


def test_what_was_deleted_is_not_told_any_more(alice: User, carol: User) -> None:
    row = make_request(alice, make_model(), status=RequestStatus.FAILED)
    assert len(titles(alice)) == 1
    row.mark_deleted(at=timezone.now())
    assert titles(alice) == []


def decided(owner: User, by: User, subject: Subject, action: Action, **said: Any) -> Decision:
    now = timezone.now()
    case = review_cases.open_case(subject=subject, evidence=evidence(**said), at=now)
    case, token = claimed(case, by, at=now)
    reason = "within_policy" if action == "allow" else "nudity"
    return enforcing.decide(case, by=by, action=action, reason=reason, token=token, at=now)


@pytest.mark.parametrize("action", ["allow", "refuse"])
def test_a_decision_about_what_was_deleted_has_neither_its_words_nor_its_address(
    alice: User, bob: User, reader: Client, action: Action
) -> None:
    image = make_image(alice, make_model(), state=ImageState.HELD)
    subject = Subject("image", image.pk, alice.pk, image.project_id)
    decision = decided(alice, bob, subject, action)
    [(_, before)] = feed.newest(alice, limit=9)
    assert (before.words, before.image) == (PROMPT, image.pk if action == "allow" else None)
    assert reader.get(before.url).status_code == 200
    GeneratedImage.objects.get(pk=image.pk).mark_deleted(at=timezone.now())
    [(_, after)] = feed.newest(alice, limit=9)
    address = "" if action == "allow" else decision.statement.get_absolute_url()
    assert (after.words, after.image, after.url) == ("", None, address)
    page = reader.get("/notifications/").content.decode()
    assert after.title in page
    assert str(image.pk) not in page
    assert PROMPT not in page


@pytest.mark.parametrize("action", ["allow", "refuse"])
def test_who_left_a_project_is_sent_to_none_of_its_pages(
    alice: User, bob: User, action: Action
) -> None:
    team = make_project(alice)
    request = make_request(alice, make_model(), project=team)
    decided(alice, bob, Subject("prompt", request.pk, alice.pk, team.pk), action)
    assert feed.newest(alice, limit=9)[0][1].url
    Membership.objects.filter(project=team).delete()
    [(_, told)] = feed.newest(alice, limit=9)
    assert (told.url, told.words) == ("", "")


def test_more_than_are_counted_are_told_as_more(alice: User, reader: Client) -> None:
    model, now = make_model(), timezone.now() + MINUTE
    row = make_request(alice, model, status=RequestStatus.FAILED, created_at=now)
    fields = {"ended_at": now, "status": RequestStatus.FAILED}
    GenerationRequest.objects.filter(pk=row.pk).update(created_at=now, **fields)
    row.refresh_from_db()
    for _ in range(feed.MOST_COUNTED):
        row.pk = uuid4()
        row._state.adding = True
        row.save()
    assert ">99+<" in count(reader)


def test_what_was_told_at_one_instant_stands_on_one_page(alice: User, reader: Client) -> None:
    at = timezone.now()
    moments = [at - n * MINUTE for n in range(25)] + [at - 25 * MINUTE] * 10
    for moment in [*moments, at - 26 * MINUTE]:
        refused_by_machine(alice, at=moment)
    first = reader.get("/notifications/")
    rest = reader.get("/notifications/", {"before": first.context["older"].isoformat()})
    assert [len(page.context["rows"]) for page in (first, rest)] == [35, 1]


def test_new_decisions_are_found_by_their_owner_and_moment(alice: User) -> None:
    rows = news.told_decisions().filter(owner=alice, decided_at__gt=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.select_related(None).explain()
    assert "decision_owner_newest" in plan, plan
