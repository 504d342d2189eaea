"""One image: its settings, its credentials, its bytes, and making it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from adapters.models import BaseModel
from generation.models import GeneratedImage, GenerationRequest, ImageState
from moderation.cases import review_cases
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Subject
from provenance.assets import marking
from provenance.log import transparency_log
from tests.factories import NOON, make_image, png
from tests.provenance.pictures import drawing

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
SYSTEM = marking.SystemInfo("Proofsheet", "0.1.0", "tiny@aaaa")


def seal(image: GeneratedImage) -> marking.SealedImage:
    """Give an image the marks that a worker gives. Something is to be seen on it: the likeness of a
    blank picture is that of its noise."""
    now = datetime.now(UTC)
    marked = marking.embed(drawing(3), asset_id=image.id)
    sealed = marking.seal(marked, asset_id=image.id, created_at=now, system=SYSTEM)
    marking.record(sealed, asset_id=image.id, owner_pseudonym="nobody", at=now)
    return sealed


def test_page_shows_everything_that_made_it(alice: User, model: BaseModel, as_user: AsUser) -> None:
    used = [{"slug": "ink", "name": "Ink", "weight": 0.75, "sha256": "d" * 64}]
    note = {"code": "prompt_truncated", "message": "Its last 3 tokens had no effect."}
    image = make_image(alice, model, seed=4711, negative_prompt="blur", adapters=used, notes=[note])
    page = as_user(alice).get(f"/images/{image.id}/").content.decode()
    for word in ("4711", "blur", "Ink, weight 0.75", "256 × 256", "Its last 3 tokens"):
        assert word in page


def test_page_shows_the_credentials_once_sealed_and_logged(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model)
    client = as_user(alice)
    assert "Not sealed" in client.get(f"/images/{image.id}/").content.decode()
    sealed = seal(image)
    page = client.get(f"/images/{image.id}/").content.decode()
    assert "Waiting for its place in the log" in page
    for mark in (sealed.sha256, sealed.manifest_sha256, sealed.claim.watermark_id):
        assert mark in page
    assert sealed.fingerprint.hex() in page


@pytest.mark.parametrize("path", ["", "file/", "delete/", "again/", "vary/"])
def test_someone_elses_image_is_not_there(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser, path: str
) -> None:
    image = make_image(alice, model)
    client = as_user(mallory)
    call = client.post if path in {"again/", "vary/"} else client.get
    assert call(f"/images/{image.id}/{path}").status_code == 404
    assert not GenerationRequest.objects.filter(owner=mallory).exists()


def test_file_is_the_stored_bytes_and_never_acts_as_a_page(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model)
    client = as_user(alice)
    answer = client.get(f"/images/{image.id}/file/")
    assert answer.content == png()
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer["Cache-Control"]
    assert "attachment" not in answer.get("Content-Disposition", "")
    again = client.get(f"/images/{image.id}/file/", HTTP_IF_NONE_MATCH=answer["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    download = client.get(f"/images/{image.id}/file/?download")
    assert download["Content-Disposition"] == f'attachment; filename="proofsheet-{image.id}.png"'


@pytest.mark.parametrize("state", [ImageState.HELD, ImageState.WITHHELD])
def test_file_is_kept_from_its_owner_until_released(
    alice: User, model: BaseModel, as_user: AsUser, state: str
) -> None:
    image = make_image(alice, model, state=state)
    client = as_user(alice)
    assert client.get(f"/images/{image.id}/file/").status_code == 404
    page = client.get(f"/images/{image.id}/").content.decode()
    assert f"/images/{image.id}/file/" not in page


def test_reviewer_gets_a_picture_only_by_the_logged_reveal_of_its_case(
    alice: User, bob: User, model: BaseModel, as_user: AsUser
) -> None:
    held = make_image(alice, model, state=ImageState.HELD)
    review_cases.open_case(
        subject=Subject("image", held.id, alice.pk), evidence=Evidence(), at=datetime.now(UTC)
    )
    client = as_user(bob)
    assert client.get(f"/images/{held.id}/file/").status_code == 404
    assert client.get(f"/images/{held.id}/").status_code == 404


def test_again_keeps_the_seed_and_vary_draws_a_new_one(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model, prompt="a blue whale", seed=4711)
    client = as_user(alice)
    for verb in ("again", "vary"):
        answer = client.post(f"/images/{image.id}/{verb}/")
        made = GenerationRequest.objects.exclude(id=image.request_id).latest("created_at")
        assert answer["Location"] == f"/studio/?like={made.id}#sheet"
        assert made.prompt == "a blue whale"
        assert (made.seed == 4711) is (verb == "again")


def test_again_says_when_the_model_is_gone(alice: User, model: BaseModel, as_user: AsUser) -> None:
    image = make_image(alice, model)
    model.is_active = False
    model.save()
    answer = as_user(alice).post(f"/images/{image.id}/again/")
    assert answer.status_code == 422
    assert "That model is not registered here." in answer.content.decode()


def test_log_index_is_shown_once_the_sequencer_ran(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model)
    seal(image)
    transparency_log.sequence(at=datetime.now(UTC))
    assert "Entry " in as_user(alice).get(f"/images/{image.id}/").content.decode()


def test_page_turns_to_the_frames_beside_it_and_skips_what_is_not_ones_own(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser
) -> None:
    first, second, third = (
        make_image(alice, model, created_at=NOON + timedelta(minutes=place)) for place in (0, 2, 4)
    )
    make_image(mallory, model, created_at=NOON + timedelta(minutes=1))
    client = as_user(alice)
    page = client.get(f"/images/{second.id}/").content.decode()
    assert f'rel="prev" href="/images/{third.id}/"' in page
    assert f'rel="next" href="/images/{first.id}/"' in page
    assert "Earlier frame" not in client.get(f"/images/{first.id}/").content.decode()
