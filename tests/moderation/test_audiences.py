"""Choosing an audience profile, and what it changes."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import reverse

from moderation.account_status import audiences
from moderation.models import AudienceChoice
from tests.moderation.makers import NOON

PAGE = "moderation:audience"


def test_profile_is_general_until_another_one_is_chosen(alice: User) -> None:
    assert audiences.profile_of(alice.pk) == audiences.profile_of(None) == "general"
    audiences.choose("education-medical", by=alice, is_of_age=False, at=NOON)
    assert audiences.profile_of(alice.pk) == "education-medical"


def test_choose_adult_needs_the_statement_of_age_and_keeps_when(alice: User) -> None:
    with pytest.raises(audiences.AgeNotAttested):
        audiences.choose("adult", by=alice, is_of_age=False, at=NOON)
    assert audiences.choose("adult", by=alice, is_of_age=True, at=NOON).attested_at == NOON


def test_database_refuses_an_adult_audience_without_the_statement(alice: User) -> None:
    with pytest.raises(IntegrityError, match="adult_audience"), transaction.atomic():
        AudienceChoice.objects.create(user=alice, profile="adult", chosen_at=NOON)


def test_choose_refuses_what_the_site_does_not_offer(alice: User, settings: Any) -> None:
    settings.PROOFSHEET_PROFILES = ["general"]
    for profile in ("adult", "kittens", ""):
        with pytest.raises(audiences.ProfileNotOffered):
            audiences.choose(profile, by=alice, is_of_age=True, at=NOON)


def test_profile_falls_back_when_the_site_switches_it_off(alice: User, settings: Any) -> None:
    audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    settings.PROOFSHEET_PROFILES = ["education-medical"]
    assert audiences.profile_of(alice.pk) == "general"


def test_page_takes_the_choice_and_says_what_is_missing(alice: User, as_user: Any) -> None:
    client = as_user(alice)
    assert "Made for" in client.get(reverse(PAGE)).content.decode()
    refused = client.post(reverse(PAGE), {"profile": "adult"})
    assert (refused.status_code, "age_not_attested" in refused.content.decode()) == (422, True)
    client.post(reverse(PAGE), {"profile": "adult", "is_of_age": "1"})
    assert audiences.profile_of(alice.pk) == "adult"


def test_page_hides_a_profile_that_is_switched_off(
    alice: User, as_user: Any, settings: Any
) -> None:
    settings.PROOFSHEET_PROFILES = ["general"]
    assert "Adults:" not in as_user(alice).get(reverse(PAGE)).content.decode()


def test_page_sends_strangers_to_the_sign_in_page(client: Any, db: None) -> None:
    assert "/accounts/login/" in client.get(reverse(PAGE))["Location"]
