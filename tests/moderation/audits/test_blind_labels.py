"""Drawn screenings in the moderators' own queue: blind, interleaved, and without consequence."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError, transaction

from config.core.transitions import NeverChanged
from moderation.audits.models import FrameEntry, Label, Presentation, SampledItem
from moderation.audits.sampling import frame
from moderation.cases import review_cases
from moderation.decisions import pending_decisions
from moderation.models import Decision, ReviewCase, Statement
from moderation.policy.rulebook import policy_document
from moderation.screening import classify
from moderation.subjects.subject import Action, Subject
from provenance.models import LogEntry
from tests.fakes import FakeImageClassifier, FakePromptClassifier
from tests.moderation.makers import NOON, evidence, picture
from tests.rewriting import rewritten

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=5)
PROMPT = "a woman running in the park"
REFUSED, HELD, PASSED = 0.97, 0.6, 0.1


@pytest.fixture(autouse=True)
def everything_is_sampled(settings: Any) -> None:
    settings.PROOFSHEET_AUDIT_PASSED_PER_MILLE = 1000
    settings.PROOFSHEET_AUDIT_FLAGGED_PER_MILLE = 1000
    settings.PROOFSHEET_AUDIT_DOUBLE_PER_CENT = 0


def screened(owner: User, *, sexual: float, prompt: str = PROMPT) -> FrameEntry:
    """A picture screened as publishing does it, with the case that follows."""
    data, image_id = picture(), uuid4()
    name = storages["private"].save(f"images/{image_id}.png", ContentFile(data))
    verdict = classify.screen_image(data, at=NOON, classifier=FakeImageClassifier(sexual=sexual))
    shown = evidence(
        image={"id": str(image_id), "file": name, "sha256": hashlib.sha256(data).hexdigest()},
        prompt=prompt,
        categories=verdict.categories,
        code=verdict.code,
        screening=str(verdict.screening_id),
        matched=[],
    )
    subject = Subject("image", image_id, owner.pk)
    entry = frame.enter(verdict, subject=subject, evidence=shown, at=NOON)
    if verdict.verdict == "hold":
        review_cases.open_case(subject=subject, evidence=shown, at=NOON, is_blind=entry.is_sampled)
    return entry


def answer(
    by: User, action: Action, reason: str, *, at: datetime = NOON, perceived: str = ""
) -> ReviewCase:
    """Take the next case, decide it, and let the undo window pass."""
    case = review_cases.claim_next(by=by, at=at)
    assert case is not None
    assert case.lease_token is not None
    pending_decisions.propose(
        case, by=by, action=action, reason=reason, token=case.lease_token, at=at,
        perceived=perceived,
    )  # fmt: skip
    pending_decisions.settle(at=at + LATER)
    return ReviewCase.objects.get(pk=case.pk)


def test_the_frame_says_how_likely_a_screening_was_drawn(alice: User) -> None:
    entry = screened(alice, sexual=PASSED)
    assert (entry.gender, entry.is_flagged, entry.inclusion_probability) == ("woman", False, 1.0)
    assert entry.sampling_stratum == "far/woman"
    assert screened(alice, sexual=0.45).sampling_stratum == "near/woman"


def test_what_is_not_drawn_is_in_the_frame_and_in_nobodys_queue(
    alice: User, bob: User, settings: Any
) -> None:
    settings.PROOFSHEET_AUDIT_PASSED_PER_MILLE = 0
    assert not screened(alice, sexual=PASSED, prompt="a red apple").is_sampled
    assert not SampledItem.objects.exists()
    assert not review_cases.queue(by=bob).exists()


def test_passed_held_and_refused_look_alike_in_queue_case_and_api(
    alice: User, bob: User, as_user: Any
) -> None:
    """Everything but ids, times and the addresses that hold them is the same, byte for byte."""
    client, seen = as_user(bob), []
    for sexual in (PASSED, HELD, REFUSED):
        entry = screened(alice, sexual=sexual)
        case = ReviewCase.objects.get(subject_id=entry.subject_id)
        pages = (
            client.get("/review/").content.decode(),
            client.get(case.get_absolute_url()).content.decode(),
            client.get("/api/v1/review/cases/").content.decode(),
        )
        mine = client.post(f"{case.get_absolute_url()}claim/", follow=True).content.decode()
        for page in pages:
            for secret in (f"{sexual:g}", "image_held", "image_refused", "held for"):
                assert secret not in page
        assert not any("sexual" in page for page in pages[1:])  # the queue can be narrowed to it
        case.refresh_from_db()
        seen.append([_without_ids(page, case, entry) for page in (pages[1], mine)])
        with rewritten(ReviewCase):
            case.delete()
    assert seen[0] == seen[1] == seen[2]


def _without_ids(page: str, case: ReviewCase, entry: FrameEntry) -> str:
    for said in (case.id, entry.subject_id, case.lease_token):
        page = page.replace(str(said), "ID")
    unlike = ("csrf", "<time", "yours until")
    return "\n".join(x for x in page.splitlines() if not any(word in x.lower() for word in unlike))


def test_right_answer_about_a_passed_picture_is_a_label_and_nothing_else(
    alice: User, bob: User
) -> None:
    entry = screened(alice, sexual=PASSED)
    case = answer(bob, "allow", "within_policy", perceived="feminine")
    label = Label.objects.get()
    assert (label.reviewer, label.truth, label.is_blind) == (bob, "acceptable", True)
    assert (label.score, label.threshold) == (entry.score, entry.threshold)
    assert label.inclusion_probability == entry.inclusion_probability
    assert (label.policy_version, label.model_version) == (entry.policy_version, "fake-image 1")
    assert not Decision.objects.exists()
    assert not LogEntry.objects.filter(kind="moderation.decision").exists()
    assert case.status == ReviewCase.Status.DECIDED
    assert set(case.evidence) == {"version", "policy_version", "screening"}
    seen = Presentation.objects.get()
    named = {field.name for field in Presentation._meta.get_fields()}
    assert named.isdisjoint({"owner", "entry", "reviewer", "label", "subject_id"})
    assert (seen.perceived, seen.truth, seen.is_flagged) == ("feminine", "acceptable", False)


def test_violation_found_in_a_passed_picture_opens_a_proper_case(
    alice: User, bob: User, as_user: Any
) -> None:
    entry = screened(alice, sexual=PASSED)
    answer(bob, "refuse", "violence")
    assert Label.objects.get().truth == "violates"
    assert not Decision.objects.exists()
    [proper] = review_cases.queue(by=bob)
    assert (proper.subject_id, proper.category) == (entry.subject_id, "violence")
    assert not proper.is_masked
    page = as_user(bob).get(proper.get_absolute_url()).content.decode()
    assert "found in a sample" in page
    answer(bob, "refuse", "violence", at=NOON + timedelta(hours=1))
    statement = Statement.objects.get()
    assert statement.fields["automated_detection"] == "No"
    assert Label.objects.count() == 1


def test_answer_to_a_held_picture_decides_it_and_is_a_label(alice: User, bob: User) -> None:
    entry = screened(alice, sexual=HELD)
    [case] = ReviewCase.objects.all()
    assert case.is_masked
    answer(bob, "allow", "within_policy")
    assert Decision.objects.get().action == "allow"
    label = Label.objects.get()
    assert (label.entry, label.truth, label.reviewer) == (entry, "acceptable", bob)


def test_refused_picture_stays_refused_whatever_the_label(alice: User, bob: User) -> None:
    screened(alice, sexual=REFUSED)
    answer(bob, "allow", "within_policy")
    assert Label.objects.get().truth == "acceptable"
    assert not Decision.objects.exists()
    assert not review_cases.queue(by=bob).exists()


@pytest.mark.parametrize("sexual", [PASSED, HELD])
def test_second_label_is_asked_of_another_reviewer(
    sexual: float, alice: User, bob: User, carol: User, settings: Any
) -> None:
    settings.PROOFSHEET_AUDIT_DOUBLE_PER_CENT = 100
    screened(alice, sexual=sexual)
    answer(bob, "allow", "within_policy")
    [second] = review_cases.queue(by=carol)
    assert not review_cases.queue(by=bob).exists()
    with pytest.raises(review_cases.CaseNotFound):
        review_cases.find(second.pk, by=bob)
    answer(carol, "refuse", "nudity")
    assert [label.reviewer for label in Label.objects.order_by("id")] == [bob, carol]
    assert not review_cases.queue(by=carol).exists()


def test_nobody_labels_something_of_their_own(bob: User) -> None:
    screened(bob, sexual=PASSED)
    assert review_cases.claim_next(by=bob, at=NOON) is None


@pytest.mark.parametrize(("sexual", "left"), [(PASSED, 0), (HELD, 1)])
def test_unclear_is_an_answer_and_what_was_held_goes_to_a_senior_moderator(
    sexual: float, left: int, alice: User, bob: User, carol: User, as_user: Any
) -> None:
    screened(alice, sexual=sexual)
    case = review_cases.claim_next(by=bob, at=NOON)
    assert case is not None
    url = f"{case.get_absolute_url()}escalate/"
    client = as_user(bob)
    case = review_cases.claim(case, by=bob, at=datetime.now(NOON.tzinfo))
    page = client.post(url, {"token": str(case.lease_token)}, follow=True).content.decode()
    assert "Kept as unclear" in page
    assert Label.objects.get().truth == "unclear"
    assert review_cases.queue(by=carol).count() == left
    assert not any(waiting.is_masked for waiting in review_cases.queue(by=carol))


def test_label_of_a_severe_category_waits_for_no_second_person(alice: User, carol: User) -> None:
    screened(alice, sexual=PASSED)
    answer(carol, "refuse", "minors")
    assert Label.objects.get().truth == "violates"
    assert not pending_decisions.to_confirm(by=carol).exists()
    assert review_cases.queue(by=carol).get().severity == 5


def test_label_can_be_undone_before_it_is_kept(alice: User, bob: User) -> None:
    screened(alice, sexual=PASSED)
    case = review_cases.claim_next(by=bob, at=NOON)
    assert case is not None
    assert case.lease_token is not None
    pending_decisions.propose(
        case, by=bob, action="allow", reason="within_policy", token=case.lease_token, at=NOON
    )
    pending_decisions.undo(case, by=bob, at=NOON)
    pending_decisions.settle(at=NOON + LATER)
    assert not Label.objects.exists()


def test_filter_by_category_says_nothing_about_blind_cases(
    alice: User, bob: User, as_user: Any
) -> None:
    screened(alice, sexual=HELD)
    assert not review_cases.queue(by=bob, category="sexual").exists()
    page = as_user(bob).get("/review/?category=sexual").content.decode()
    assert "The desk is clear" in page


def test_blind_picture_is_revealed_and_answered_on_the_page(
    alice: User, bob: User, as_user: Any, settings: Any
) -> None:
    settings.PROOFSHEET_UNDO_SECONDS = 0
    screened(alice, sexual=PASSED)
    client = as_user(bob)
    page = client.post("/review/next/", follow=True)
    case = page.context["case"]
    assert "A blind case" in page.content.decode()
    client.post(f"{case.get_absolute_url()}reveal/")
    assert client.get(f"{case.get_absolute_url()}picture/").content == picture()
    client.post(
        f"{case.get_absolute_url()}decide/",
        {
            "token": str(case.lease_token),
            "action": "allow",
            "allow_reason": "within_policy",
            "perceived": "nobody",
        },
    )
    assert Label.objects.get().truth == "acceptable"
    assert Presentation.objects.get().perceived == "nobody"
    assert "kept as a blind label" in client.get(case.get_absolute_url()).content.decode()


def test_prompt_is_labelled_as_a_prompt_and_opens_no_case(alice: User, carol: User) -> None:
    verdict = classify.screen_prompt("a man running", at=NOON, classifier=FakePromptClassifier())
    shown = evidence(
        prompt="a man running", screening=str(verdict.screening_id), categories={}, matched=[]
    )
    entry = frame.enter(
        verdict,
        subject=Subject("prompt", uuid4(), alice.pk),
        evidence=shown,
        at=NOON,
    )
    assert (entry.stage, entry.gender) == ("prompt", "man")
    answer(carol, "refuse", "violence")
    assert Label.objects.get().truth == "violates"
    assert not review_cases.queue(by=carol).exists()


def test_owner_who_deletes_something_takes_it_out_of_the_queue(alice: User, bob: User) -> None:
    entry = screened(alice, sexual=PASSED)
    review_cases.withdraw_sampled("image", entry.subject_id)
    assert not review_cases.queue(by=bob).exists()
    assert FrameEntry.objects.exists()


def test_severity_and_due_time_follow_the_nearest_category(alice: User) -> None:
    screened(alice, sexual=PASSED)
    case = ReviewCase.objects.get()
    nearest = policy_document.active("general").categories["sexual"]
    assert case.severity == nearest.severity
    assert case.due_at == NOON + timedelta(hours=nearest.review_within_hours)


def test_labels_never_change(alice: User, bob: User) -> None:
    screened(alice, sexual=PASSED)
    answer(bob, "allow", "within_policy", perceived="unclear")
    kept = Label.objects.get()
    kept.truth = "violates"
    with pytest.raises(NeverChanged):
        kept.save()
    attempts: list[Any] = [
        lambda: Label.objects.update(truth="violates"),
        lambda: Label.objects.all().delete(),
        lambda: Presentation.objects.update(perceived="feminine"),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    bob.delete()
    assert Label.objects.get().reviewer is None


def test_api_answers_a_blind_case(alice: User, bob: User, as_user: Any, settings: Any) -> None:
    settings.PROOFSHEET_UNDO_SECONDS = 0
    screened(alice, sexual=PASSED)
    client = as_user(bob)
    claimed = client.post("/api/v1/review/next/").json()
    assert (claimed["is_blind"], claimed["category"]) == (True, "")
    assert not {"categories", "code", "matched", "screening"} & set(claimed["evidence"])
    said = {
        "token": claimed["lease_token"],
        "action": "refuse",
        "reason": "violence",
        "perceived": "masculine",
    }
    url = f"/api/v1/review/cases/{UUID(claimed['id'])}/decide/"
    assert client.post(url, said, content_type="application/json").status_code == 202
    assert Label.objects.get().truth == "violates"
    assert Presentation.objects.get().perceived == "masculine"
