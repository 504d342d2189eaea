"""The room in the admin: every table can be looked at, nothing is changed, evidence stays out."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse

from config.core.projects import personal
from moderation.account_status import audiences
from moderation.appeals import hearing
from moderation.cases import wellbeing
from moderation.decisions import pending_decisions
from moderation.desk import saved_views
from moderation.desk.teamwork import case_notes
from moderation.hash_banks import known_pictures
from moderation.models import (
    BankedHash,
    BankMatch,
    BlurChoice,
    Decision,
    Export,
    PolicyOverlay,
    Report,
    Reveal,
    Screening,
    Suspension,
)
from moderation.public_notices import addresses
from moderation.screening.classify import screen_prompt
from tests.moderation.makers import NOON, PROMPT, claimed, picture, prompt_case, refused_by

WRITTEN = ("Beauty is in the eye.", "It should not be here.", "Seen before.")
TABLES = list(apps.get_app_config("moderation").get_models())


@pytest.fixture
def root(olga: User) -> User:
    olga.is_superuser = True
    olga.save()
    return olga


@pytest.fixture
def filled(alice: User, bob: User, carol: User) -> Decision:
    """A row in every table of the room; the decision is one of them."""
    decision = refused_by(bob, alice)
    hearing.lodge(decision, by=alice, grounds=WRITTEN[0], at=NOON)
    addresses.address_of(decision)
    case = prompt_case(alice)
    case_notes.write(case, WRITTEN[2], by=bob, at=NOON)
    saved_views.save("Mornings", {"kind": "prompt"}, by=bob, at=NOON)
    wellbeing.rest(by=bob, at=NOON)
    BlurChoice.objects.create(reviewer=bob, category="nudity", level="light")
    audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    bank = known_pictures.create("Known", category="sexual", by=carol, at=NOON)
    known_pictures.add_picture(bank, picture(), note="", by=carol, at=NOON)
    screening = Screening.objects.get(id=screen_prompt("a red apple", at=NOON).screening_id)
    BankMatch.objects.create(
        screening=screening,
        banked=BankedHash.objects.get(),
        distance=3,
        is_enforced=False,
        matched_at=NOON,
    )
    Export.objects.create(
        kind="statements", first=NOON, last=NOON, sha256="a" * 64, size_bytes=1, made_at=NOON
    )
    Suspension.objects.create(
        user=alice, decision=decision, began_at=NOON, ends_at=NOON + timedelta(days=7)
    )
    Reveal.objects.create(
        subject_kind="prompt", subject_id=case.subject_id, severity=2, revealed_at=NOON
    )
    Report.objects.create(
        case=case,
        sender="secret-digest",
        name="Whoever Wrote",
        email="whoever@example.org",
        category="nudity",
        explanation=WRITTEN[1],
        is_in_good_faith=True,
        received_at=NOON,
    )
    propose(prompt_case(alice), carol)
    PolicyOverlay.objects.create(
        project=personal.project_of(alice),
        number=1,
        document={},
        rationale=WRITTEN[1],
        proposed_at=NOON,
    )
    return decision


def propose(case: Any, by: User) -> None:
    row, token = claimed(case, by)
    pending_decisions.propose(row, by=by, action="refuse", reason="nudity", token=token, at=NOON)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_table_is_listed_and_read_and_never_changed(
    table: type[Model], root: User, filled: Decision, as_user: Any
) -> None:
    client, name = as_user(root), f"admin:moderation_{table.__name__.lower()}"
    row = table._default_manager.first()
    assert row is not None, "the fixture fills every table"
    assert client.get(reverse(f"{name}_changelist")).status_code == 200
    page = client.get(reverse(f"{name}_change", args=[row.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert PROMPT not in text, "evidence stays at the desk"
    assert not any(said in text for said in ("secret-digest", "whoever@example.org"))
    assert not any(said in text for said in WRITTEN), "words that people wrote stay at the desk"
    assert client.get(reverse(f"{name}_add")).status_code == 403
    assert client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
    assert client.post(reverse(f"{name}_delete", args=[row.pk]), {}).status_code == 403


@pytest.mark.parametrize("table", ["break", "blurchoice", "casenote", "savedview"])
def test_operator_sees_nothing_of_how_reviewers_rest_and_talk(
    table: str, olga: User, as_user: Any
) -> None:
    address = reverse(f"admin:moderation_{table}_changelist")
    assert as_user(olga).get(address).status_code == 403
