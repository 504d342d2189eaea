"""Exposure of reviewers: points, the break that is asked for and then enforced, and the blur."""

from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from moderation.cases import case_pictures, review_cases, wellbeing
from moderation.models import Break, Reveal
from tests.moderation.makers import NOON, claimed, image_case, prompt_case


def looked(by: User, *, points: int, at: Any = NOON) -> None:
    Reveal.objects.create(
        subject_kind="image", subject_id=uuid4(), revealed_by=by, category="nudity",
        severity=points, revealed_at=at,
    )  # fmt: skip


def shown_to(alice: User) -> case_pictures.ShownSubject:
    case, _ = image_case(alice)
    return case_pictures.ShownSubject(
        "image", case.subject_id, case.severity, case.seen, case.category
    )


def test_exposure_counts_the_points_of_one_shift(bob: User) -> None:
    looked(bob, points=5, at=NOON - timedelta(hours=9))
    looked(bob, points=3, at=NOON - timedelta(hours=7))
    now = wellbeing.exposure(by=bob, at=NOON)
    assert (now.points, now.since_break, now.reveals) == (3, 3, 1)


def test_break_is_asked_for_before_it_is_due(bob: User, settings: Any) -> None:
    settings.PROOFSHEET_EXPOSURE_STRETCH = 20
    looked(bob, points=15)
    now = wellbeing.exposure(by=bob, at=NOON)
    assert now.is_break_asked_for
    assert not now.is_break_due
    assert now.left == 5


def test_reveal_and_claim_wait_for_a_break_that_is_due(
    alice: User, bob: User, settings: Any
) -> None:
    settings.PROOFSHEET_EXPOSURE_STRETCH = 20
    shown = shown_to(alice)
    looked(bob, points=20)
    with pytest.raises(wellbeing.BreakDue):
        case_pictures.reveal(shown, by=bob, at=NOON)
    with pytest.raises(wellbeing.BreakDue):
        review_cases.claim_next(by=bob, at=NOON)
    wellbeing.rest(by=bob, at=NOON)
    later = NOON + timedelta(minutes=5)
    with pytest.raises(wellbeing.OnBreak):
        review_cases.claim_next(by=bob, at=later)
    rested = NOON + timedelta(minutes=11)
    assert review_cases.claim_next(by=bob, at=rested) is not None
    case_pictures.reveal(shown, by=bob, at=rested)


def test_what_is_held_can_be_renewed_when_a_break_is_due(
    alice: User, bob: User, settings: Any
) -> None:
    settings.PROOFSHEET_EXPOSURE_STRETCH = 20
    held = review_cases.claim(prompt_case(alice), by=bob, at=NOON)
    looked(bob, points=20)
    assert review_cases.claim(held, by=bob, at=NOON).lease_token == held.lease_token


def test_reveal_is_refused_once_the_budget_of_the_shift_is_spent(
    alice: User, bob: User, settings: Any
) -> None:
    settings.PROOFSHEET_EXPOSURE_BUDGET = 10
    shown = shown_to(alice)
    looked(bob, points=10, at=NOON - timedelta(hours=1))
    wellbeing.rest(by=bob, at=NOON - timedelta(minutes=30))
    with pytest.raises(wellbeing.BudgetSpent):
        case_pictures.reveal(shown, by=bob, at=NOON)
    assert review_cases.claim_next(by=bob, at=NOON) is not None
    case_pictures.reveal(shown, by=bob, at=NOON + timedelta(hours=8))


def test_reveal_again_within_half_an_hour_costs_nothing(alice: User, bob: User) -> None:
    shown = shown_to(alice)
    case_pictures.reveal(shown, by=bob, at=NOON)
    case_pictures.reveal(shown, by=bob, at=NOON + timedelta(minutes=10))
    assert wellbeing.exposure(by=bob, at=NOON + timedelta(minutes=10)).reveals == 1


def test_rest_is_refused_while_a_break_runs(bob: User) -> None:
    wellbeing.rest(by=bob, at=NOON)
    with pytest.raises(wellbeing.OnBreak):
        wellbeing.rest(by=bob, at=NOON + timedelta(minutes=1))


def test_break_covers_what_was_revealed_before_it(alice: User, bob: User, as_user: Any) -> None:
    case, data = image_case(alice)
    client = as_user(bob)
    picture = reverse("moderation:picture", args=[case.id])
    client.post(reverse("moderation:claim", args=[case.id]))
    client.post(reverse("moderation:reveal", args=[case.id]))
    assert client.get(picture).content == data
    client.post(reverse("moderation:rest"))
    answer = client.get(picture)
    assert (answer.status_code, "on_break" in answer.content.decode()) == (409, True)
    assert picture not in client.get(case.get_absolute_url()).content.decode()
    again = client.post(reverse("moderation:reveal", args=[case.id]))
    assert (again.status_code, "on_break" in again.content.decode()) == (409, True)


@pytest.mark.parametrize("is_resting", [False, True])
def test_decision_before_a_break_is_kept_and_can_be_undone(
    is_resting: bool, alice: User, bob: User, settings: Any, as_user: Any
) -> None:
    settings.PROOFSHEET_EXPOSURE_STRETCH = 20
    now = timezone.now()
    case, token = claimed(prompt_case(alice, at=now), bob, at=now)
    prompt_case(alice, at=now)
    looked(bob, points=20, at=now)
    if is_resting:
        wellbeing.rest(by=bob, at=now)
    form = {"token": str(token), "action": "refuse", "refuse_reason": "nudity", "next": "1"}
    answer = as_user(bob).post(reverse("moderation:decide", args=[case.id]), form, follow=True)
    assert answer.status_code == 200
    assert reverse("moderation:undo", args=[case.id]) in answer.content.decode()


def test_database_refuses_a_break_without_length(bob: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Break.objects.create(reviewer=bob, began_at=NOON, ends_at=NOON)


def test_wellbeing_page_shows_the_numbers_and_starts_a_break(bob: User, as_user: Any) -> None:
    looked(bob, points=4, at=timezone.now())
    client = as_user(bob)
    text = client.get(reverse("moderation:wellbeing")).content.decode()
    assert "Nudity" in text
    assert "Points of 60 since your break</dt><dd>4" in text
    answer = client.post(reverse("moderation:rest"), follow=True)
    assert "You are on a break until" in answer.content.decode()
    assert client.get(reverse("moderation:review")).url == reverse("moderation:wellbeing")


def test_next_case_names_the_break_that_is_due(
    alice: User, bob: User, as_user: Any, settings: Any
) -> None:
    settings.PROOFSHEET_EXPOSURE_STRETCH = 5
    prompt_case(alice)
    looked(bob, points=5, at=timezone.now())
    answer = as_user(bob).post(reverse("moderation:next"))
    assert answer.status_code == 409
    assert "a break is due" in answer.content.decode()


def test_api_names_the_break_that_is_due(
    alice: User, bob: User, as_user: Any, settings: Any
) -> None:
    settings.PROOFSHEET_EXPOSURE_STRETCH = 5
    prompt_case(alice)
    looked(bob, points=5, at=timezone.now())
    answer = as_user(bob).post(reverse("api-next"))
    assert (answer.status_code, answer.json()["code"]) == (409, "break_due")


def test_wellbeing_is_refused_to_people_without_the_role(alice: User, as_user: Any) -> None:
    assert as_user(alice).get(reverse("moderation:wellbeing")).status_code == 403


def spread(answer: Any) -> float:
    pixels = np.asarray(Image.open(BytesIO(answer.content)).convert("L"), dtype=float)
    return float(np.abs(np.diff(pixels, axis=1)).max())


def test_blur_follows_the_reviewers_choice_for_the_category(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case, _ = image_case(alice, at=timezone.now())
    address = reverse("moderation:derivative", args=[case.id])
    usual = as_user(bob).get(address)
    answer = as_user(bob).post(reverse("moderation:blur"), {f"blur-{case.category}": "strong"})
    assert answer.url == reverse("moderation:wellbeing")
    strong = as_user(bob).get(address, headers={"if-none-match": usual["ETag"]})
    assert strong.status_code == 200
    assert spread(strong) < spread(usual)
    assert as_user(carol).get(address)["ETag"] == usual["ETag"]


def test_severe_categories_are_blurred_strongly_until_somebody_chooses(bob: User) -> None:
    chosen = {category.name: level for category, level in wellbeing.levels(by=bob)}
    assert chosen["minors"] == "strong"
    assert chosen["nudity"] == "usual"


@pytest.mark.parametrize("form", [{"blur-nudity": "none"}, {"blur-cats": "usual"}])
def test_blur_refuses_what_is_not_offered(form: dict[str, str], bob: User, as_user: Any) -> None:
    answer = as_user(bob).post(reverse("moderation:blur"), form)
    assert answer.status_code == 422
    assert "blur_unknown" in answer.content.decode()
