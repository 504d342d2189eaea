"""When each thing that is kept of a person goes; docs/audit/personal-data.md names these tests."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from adapters.models import Adapter, AdapterShare, BaseModel
from generation.gallery import own_images
from generation.live import drawing
from generation.models import (
    Allowance,
    GeneratedImage,
    GenerationRequest,
    IdempotencyKey,
    ImageState,
    RequestStatus,
    SourcePicture,
    private_storage,
)
from generation.progress import previews
from generation.request_rules.parameters import RequestParameters
from generation.requests import idempotency, submitting
from generation.studio import own_requests
from moderation.cases import review_cases
from moderation.models import AudienceChoice, Decision, ReviewCase, SavedView, Screening, Statement
from moderation.subjects.subject import Subject
from tests.factories import NOON, make_adapter, make_image, make_key, make_request, png
from tests.moderation.makers import evidence, refused_by

pytestmark = pytest.mark.django_db
PAGE = (settings.ROOT / "docs" / "audit" / "personal-data.md").read_text()
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][1:]
SECRET = "my neighbour's red bicycle"
OWN = ("generation", "moderation", "adapters", "provenance", "audits", "house")


# ------------------------------------------------------------------ the page
def test_every_table_is_named_on_the_page() -> None:
    tables = {m._meta.label for name in OWN for m in apps.get_app_config(name).get_models()}
    assert tables - set(re.findall(r"`([a-z]+\.[A-Z]\w+)`", PAGE)) == set()


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip("| ") for row in ROWS])
def test_every_row_names_a_test_that_is_there(row: list[str]) -> None:
    assert len(row) == 4
    where, _, name = row[3].strip(" |`").partition("::")
    path = settings.ROOT / where
    assert path.exists(), where
    assert not name or f"def {name}(" in path.read_text()


# ------------------------------------------------------------------ deleted by the owner
def ended(owner: User, model: BaseModel, **said: Any) -> GenerationRequest:
    return make_request(owner, model, status=RequestStatus.CANCELLED, prompt=SECRET, **said)


def test_deleting_a_request_blanks_its_texts(alice: User, model: BaseModel) -> None:
    request = ended(alice, model, negative_prompt=SECRET, label="top-left " + SECRET)
    own_requests.delete_request(request.id, by=alice, at=NOON)
    assert SECRET not in str(GenerationRequest.objects.filter(id=request.id).values())


def test_deleting_an_image_blanks_its_texts(alice: User, model: BaseModel) -> None:
    notes = [{"code": "prompt_cut", "message": SECRET}]
    image = make_image(alice, model, prompt=SECRET, negative_prompt=SECRET, notes=notes)
    own_images.delete_image(image.id, by=alice, at=NOON)
    assert SECRET not in str(GeneratedImage.objects.filter(id=image.id).values())


def test_deleting_a_request_blanks_its_images(alice: User, model: BaseModel) -> None:
    image = make_image(alice, model, prompt=SECRET)
    own_requests.delete_request(image.request_id, by=alice, at=NOON)
    assert SECRET not in str(GeneratedImage.objects.filter(id=image.id).values())


def test_deleting_a_request_erases_its_upload(
    alice: User, model: BaseModel, django_capture_on_commit_callbacks: Any
) -> None:
    parameters = RequestParameters(prompt=SECRET, picture=png())
    request = submitting.submit(parameters, by=alice, at=NOON).request
    name = str(SourcePicture.objects.get(request=request).file.name)
    own_requests.cancel(request.id, by=alice, at=NOON)
    with django_capture_on_commit_callbacks(execute=True):
        own_requests.delete_request(request.id, by=alice, at=NOON)
    assert not private_storage().exists(name)
    assert SourcePicture.objects.get(request=request).file.name == ""


def test_deleting_a_request_forgets_its_progress(
    alice: User, model: BaseModel, django_capture_on_commit_callbacks: Any
) -> None:
    request = ended(alice, model)
    previews.publish(request.id, previews.RenderProgress("denoise", 1, 4, preview=b"picture"))
    with django_capture_on_commit_callbacks(execute=True):
        own_requests.delete_request(request.id, by=alice, at=NOON)
    assert previews.read(request.id) is None


def test_deleting_takes_a_sampled_case_along(alice: User, model: BaseModel) -> None:
    request = ended(alice, model)
    subject = Subject("prompt", request.id, alice.pk)
    review_cases.open_sampled(subject=subject, evidence=evidence(), nearest="", at=NOON)
    own_requests.delete_request(request.id, by=alice, at=NOON)
    assert not ReviewCase.objects.filter(subject_id=request.id).exists()


def test_live_pictures_that_nobody_kept_are_forgotten(alice: User, model: BaseModel) -> None:
    ended(alice, model, is_live=True)
    drawing.forget(at=NOON + drawing.KEPT_FOR + timedelta(seconds=1))
    assert not GenerationRequest.objects.exists()


# ------------------------------------------------------------------ keys of submissions
def sent(alice: User, prompt: str = SECRET) -> Any:
    client = APIClient(headers={"Authorization": f"Bearer {make_key(alice)}"})
    return client.post(
        "/api/v1/generations/", {"prompt": prompt}, format="json", HTTP_IDEMPOTENCY_KEY="k"
    )


def test_a_deleted_request_does_not_come_back_by_its_key(alice: User, model: BaseModel) -> None:
    made = sent(alice).json()
    own_requests.cancel(made["id"], by=alice, at=NOON)
    own_requests.delete_request(made["id"], by=alice, at=NOON)
    for prompt in (SECRET, "another prompt"):
        again = sent(alice, prompt)
        assert (again.status_code, again.json()["code"]) == (410, "request_deleted")
        assert SECRET not in again.text
    assert GenerationRequest.objects.count() == 1
    assert IdempotencyKey.objects.get().body_sha256 == ""


def test_a_key_is_forgotten_after_a_day(alice: User, model: BaseModel) -> None:
    submitting.submit(RequestParameters(prompt=SECRET), by=alice, at=NOON, idempotency_key="k")
    idempotency.forget(at=NOON + timedelta(hours=25))
    assert not IdempotencyKey.objects.exists()


# ------------------------------------------------------------------ with the account
def test_an_account_takes_its_rows_and_files_along(
    alice: User, mallory: User, model: BaseModel, django_capture_on_commit_callbacks: Any
) -> None:
    image = make_image(alice, model, prompt=SECRET)
    upload = RequestParameters(prompt=SECRET, picture=png())
    source = submitting.submit(upload, by=alice, at=NOON, idempotency_key="k").request
    source_file = SourcePicture.objects.get(request=source).file
    names = [str(image.file.name), str(source_file.name)]
    Allowance.objects.create(user=alice, in_flight=3)
    AudienceChoice.objects.create(user=alice, profile="general", chosen_at=NOON)
    SavedView.objects.create(owner=alice, name="mine", wanted={}, saved_at=NOON)
    adapter = make_adapter(model, owner=alice)
    AdapterShare.objects.create(adapter=adapter, user=mallory, share_key=uuid4(), opened_at=NOON)
    with django_capture_on_commit_callbacks(execute=True):
        alice.delete()
    assert [name for name in names if private_storage().exists(name)] == []
    for table in (
        GenerationRequest, GeneratedImage, SourcePicture, IdempotencyKey, Allowance,
        AudienceChoice, SavedView, AdapterShare,
    ):  # fmt: skip
        assert not table._default_manager.exists(), table
    assert not Adapter.objects.filter(slug=adapter.slug).exists()


def test_a_decision_keeps_its_evidence_without_the_name(alice: User, bob: User) -> None:
    decision = refused_by(bob, alice)
    alice.delete()
    bob.delete()
    kept = Decision.objects.get(id=decision.id)
    assert (kept.owner_id, kept.decided_by_id) == (None, None)
    assert kept.seen.prompt == evidence().prompt
    assert Statement.objects.get(decision=kept).owner_id is None
    assert "alice" not in str(Statement.objects.filter(decision=kept).values())


def test_a_screening_names_nobody() -> None:
    names = {field.name for field in Screening._meta.get_fields()}
    assert not names & {"owner", "user", "request", "subject_id", "prompt"}


# ------------------------------------------------------------------ what this file needs
def test_unrelated_states_are_not_touched(alice: User, model: BaseModel) -> None:
    kept = make_image(alice, model, prompt=SECRET)
    gone = make_image(alice, model, prompt="a red apple")
    own_images.delete_image(gone.id, by=alice, at=NOON)
    kept.refresh_from_db()
    assert (kept.prompt, kept.state) == (SECRET, ImageState.RELEASED)
