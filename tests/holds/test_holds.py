"""What is held stays, whoever or whatever erases; when that ends, it goes as it would have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from adapters.uploads import owner_actions
from config.core import clock, retention
from config.core.holds import asking
from config.core.holds.asking import UnderHold
from config.core.holds.models import HeldKind, LegalHold
from config.core.projects import personal
from config.core.projects.models import EndUser
from generation.gallery import own_images
from generation.models import GeneratedImage, GenerationRequest, RequestStatus
from generation.studio import own_requests
from moderation.account_status import erasing, legal_holds
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Decision
from moderation.reports import reporting
from moderation.reports.report_limits import Sender
from moderation.reports.reporting import SentReport
from moderation.subjects.subject import Subject
from provenance.assets import erasure
from provenance.log import own_keys, transparency_log
from provenance.models import LogEntry
from provenance.verify import sightings
from tests.factories import NOON, make_adapter, make_image, make_model, make_request
from tests.moderation.makers import claimed, evidence
from tests.provenance.conftest import record, seal
from tests.provenance.pictures import photograph

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(alice: User) -> GeneratedImage:
    own_keys.make()
    return make_image(alice, make_model())


def hold(kind: HeldKind, subject: object, **said: Any) -> LegalHold:
    known = {"reason": "order 12/2026", "until": None, "by": "olga", "at": NOON}
    return legal_holds.place(kind, subject, **known | said)


Whose = Callable[[GeneratedImage], tuple[HeldKind, object]]
EACH: dict[str, Whose] = {
    "account": lambda image: (HeldKind.ACCOUNT, image.owner_id),
    "project": lambda image: (HeldKind.PROJECT, image.project_id),
    "request": lambda image: (HeldKind.THING, image.request_id),
    "image": lambda image: (HeldKind.THING, image.id),
}


@pytest.mark.parametrize("whose", EACH)
def test_owner_cannot_delete_what_is_held_and_can_once_it_is_over(
    image: GeneratedImage, alice: User, whose: str
) -> None:
    held = hold(*EACH[whose](image))
    with pytest.raises(UnderHold):
        own_images.delete_image(image.id, by=alice, at=NOON)
    with pytest.raises(UnderHold):
        own_requests.delete_request(image.request_id, by=alice, at=NOON)
    image.refresh_from_db()
    assert image.deleted_at is None
    legal_holds.end(held.id, by="olga", at=NOON)
    own_requests.delete_request(image.request_id, by=alice, at=NOON)
    image.refresh_from_db()
    assert image.deleted_at == NOON


def test_owner_is_told_why_on_page_and_api(
    image: GeneratedImage, alice: User, client: Client
) -> None:
    hold(HeldKind.THING, image.id)
    client.force_login(alice)
    answer = client.delete(f"/api/v1/images/{image.id}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "under_hold")


def test_hold_with_a_day_is_over_by_itself(image: GeneratedImage, alice: User) -> None:
    hold(HeldKind.THING, image.id, until=NOON + timedelta(days=1))
    with pytest.raises(UnderHold):
        own_images.delete_image(image.id, by=alice, at=NOON)
    own_images.delete_image(image.id, by=alice, at=NOON + timedelta(days=2))


def test_clock_passes_over_what_is_held(alice: User, bob: User, settings: Any) -> None:
    own_keys.make()
    settings.PROOFSHEET_IMAGES_KEPT_DAYS = 30
    model, old = make_model(), NOON - timedelta(days=400)
    rows = {
        (person.username, is_live): make_request(
            person, model, status=RequestStatus.CANCELLED, is_live=is_live, created_at=old,
            ended_at=old,
        )
        for person in (alice, bob)
        for is_live in (True, False)
    }  # fmt: skip
    hold(HeldKind.ACCOUNT, alice.pk)
    assert sum(each.due(at=NOON) for each in retention.table()) == 2
    assert sum(retention.forget_all(at=NOON).values()) == 2
    left = GenerationRequest.objects.filter(deleted_at=None)
    assert {row.pk for row in left} == {rows["alice", True].pk, rows["alice", False].pk}


def test_record_of_a_held_picture_stays(alice: User) -> None:
    own_keys.make()
    astronaut = record(seal(photograph("astronaut")))
    make_image(alice, make_model(), id=astronaut.id)
    held = hold(HeldKind.ACCOUNT, alice.pk)  # of the asset's own row nobody can tell whose it is
    with pytest.raises(CommandError, match="kept for now by law"):
        call_command("erase_assets", str(astronaut.id))
    legal_holds.end(held.id, by="olga", at=NOON)
    assert erasure.erase([astronaut.id], at=NOON) == 1


def test_words_of_somebody_who_is_held_stay(alice: User) -> None:
    own_keys.make()
    hold(HeldKind.ACCOUNT, alice.pk)
    with pytest.raises(CommandError, match="kept for now by law"):
        call_command("erase_words", "alice")
    end_user = uuid4()
    hold(HeldKind.END_USER, end_user)
    with pytest.raises(UnderHold):
        erasing.erase_words_of_end_user(end_user, at=NOON)


ABOUT: dict[str, Callable[[Decision], tuple[HeldKind, object]]] = {
    "owner": lambda row: (HeldKind.ACCOUNT, row.owner_id),
    "project": lambda row: (HeldKind.PROJECT, row.project_id),
    "end_user": lambda row: (HeldKind.END_USER, row.end_user_id),
    "subject": lambda row: (HeldKind.THING, row.subject_id),
    "decision": lambda row: (HeldKind.THING, row.id),
}


@pytest.mark.parametrize("whose", ABOUT)
@pytest.mark.parametrize("of", ["person", "end user"])
def test_words_about_what_is_held_stay(alice: User, bob: User, whose: str, of: str) -> None:
    own_keys.make()
    project = personal.project_of(alice)
    eve = EndUser.objects.create(project=project, ref="eve", first_seen_at=NOON, last_seen_at=NOON)
    subject = Subject("prompt", uuid4(), alice.pk, project.pk, eve.pk)
    case, token = claimed(
        review_cases.open_case(subject=subject, evidence=evidence(), at=NOON), bob
    )
    decision = enforcing.decide(
        case, by=bob, action="refuse", reason="nudity", token=token, at=NOON
    )
    hold(*ABOUT[whose](decision))
    erase: dict[str, Callable[[], int]] = {
        "person": lambda: erasing.erase_words(alice, at=NOON),
        "end user": lambda: erasing.erase_words_of_end_user(eve.pk, at=NOON),
    }
    with pytest.raises(UnderHold):
        erase[of]()
    decision.refresh_from_db()
    assert "prompt" in decision.evidence


@pytest.mark.parametrize("whose", ["account", "project", "image", "report"])
def test_who_sent_a_report_of_what_is_held_stays_known(image: GeneratedImage, whose: str) -> None:
    sent = SentReport(
        sighting=sightings.give(image.id, at=NOON), category="nudity", explanation="She is bare.",
        is_in_good_faith=True, name="Eve", email="eve@example.org",
    )  # fmt: skip
    report = reporting.submit(sent, sender=Sender(None, "a" * 64), at=NOON)
    held = hold(*(EACH | {"report": lambda _: (HeldKind.THING, report.pk)})[whose](image))
    later = NOON + reporting.KEPT_FOR + timedelta(days=1)
    assert (reporting.due(at=later), reporting.forget(at=later)) == (0, 0)
    legal_holds.end(held.id, by="olga", at=NOON)
    assert (reporting.due(at=later), reporting.forget(at=later)) == (1, 1)


@pytest.mark.parametrize("whose", ["thing", "account", "project"])
def test_adapter_that_is_held_is_not_removed(alice: User, whose: str) -> None:
    own_keys.make()
    adapter = make_adapter(make_model(), owner=alice, state="rejected", code="not_safetensors")
    subjects = {"thing": adapter.pk, "account": alice.pk, "project": adapter.project_id}
    hold(HeldKind(whose), subjects[whose])
    with pytest.raises(UnderHold):
        owner_actions.remove(adapter.slug, by=alice)


def test_account_that_is_held_is_not_deleted(alice: User) -> None:
    own_keys.make()
    hold(HeldKind.ACCOUNT, alice.pk)
    with pytest.raises(UnderHold), transaction.atomic():
        alice.delete()
    assert User.objects.filter(username="alice").exists()


def test_log_is_told_of_a_hold_and_not_of_whom(alice: User) -> None:
    own_keys.make()
    held = hold(HeldKind.ACCOUNT, alice.pk)
    legal_holds.end(held.id, by="olga", at=NOON)
    entries = LogEntry.objects.filter(subject=held.id).order_by("id")
    assert [entry.kind for entry in entries] == [legal_holds.PLACED, legal_holds.ENDED]
    assert all(b"alice" not in bytes(entry.body) for entry in entries)
    assert next(transparency_log.bodies_of(legal_holds.ENDED)) == {"of": "account"}
    with pytest.raises(legal_holds.HoldNotFound):
        legal_holds.end(held.id, by="olga", at=NOON)


def test_operator_holds_lists_and_ends_from_a_shell(alice: User, olga: User) -> None:
    own_keys.make()
    out = StringIO()
    said = ("--reason", "order 12/2026", "--by", "olga")
    call_command("hold", "place", "account", "alice", "--until", "2999-01-01", *said, stdout=out)
    held = LegalHold.objects.get()
    call_command("hold", "list", stdout=out)
    assert f"{held.id} account {alice.pk} until 2999-01-01: order 12/2026" in out.getvalue()
    assert asking.standing(at=clock.now()) == {HeldKind.ACCOUNT: {str(alice.pk)}}
    call_command("hold", "end", str(held.id), "--by", "olga", stdout=out)
    assert asking.standing(at=clock.now()) == {}
    wrongs = [("account", "nobody"), ("thing", "no-uuid")]
    wrongs += [(kind, str(uuid4())) for kind in ("project", "end_user", "thing")]
    for wrong in wrongs:
        with pytest.raises(CommandError):
            call_command("hold", "place", *wrong, *said)
    with pytest.raises(CommandError, match="no such hold"):
        call_command("hold", "end", str(UUID(int=0)), "--by", "olga")


def test_dry_run_says_what_would_go_and_nothing_goes(alice: User) -> None:
    out, old = StringIO(), NOON - timedelta(days=400)
    make_request(
        alice, make_model(), status=RequestStatus.CANCELLED, is_live=True, created_at=old,
        ended_at=old,
    )  # fmt: skip
    call_command("retention", "--dry-run", stdout=out)
    assert "1 would go: prompts and pictures of the live page" in out.getvalue()
    assert GenerationRequest.objects.count() == 1
    call_command("retention", stdout=out)
    assert "1 went: prompts and pictures of the live page" in out.getvalue()
    assert not GenerationRequest.objects.exists()


def test_a_day_of_a_hold_lasts_to_its_end_and_is_none_that_is_past(
    alice: User, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_keys.make()
    monkeypatch.setattr(clock, "now", lambda: NOON)
    project, out = personal.project_of(alice), StringIO()
    said = ("project", str(project.pk), "--reason", "order 12/2026", "--by", "olga", "--until")
    with pytest.raises(CommandError, match="2026-11-23 is over"):
        call_command("hold", "place", *said, "2026-11-23")
    call_command("hold", "place", *said, "2026-11-24", stdout=out)
    evening = NOON.replace(hour=23)
    assert asking.standing(at=evening) == {HeldKind.PROJECT: {str(project.pk)}}
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=1))
    listed = StringIO()
    call_command("hold", "list", stdout=listed)
    assert listed.getvalue() == ""
