"""The gallery: one's own frames, by the sheet, narrowed, deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import uuid4
from zipfile import ZipFile

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image

from adapters.models import BaseModel
from generation.gallery.gallery_forms import FRAMES_A_SHEET
from generation.models import GeneratedImage, ImageState, private_storage
from tests.factories import NOON, make_adapter, make_image, make_model

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]


def saved_picture(side: int, *, seed: int = 0) -> str:
    """The name of a stored PNG with shapes and a grain, as large as a picture of a model is."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((side, side)), float)
    pixels = np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return private_storage().save(f"images/test/{side}-{seed}.png", ContentFile(out.getvalue()))


def test_empty_gallery_leads_to_the_studio(alice: User, as_user: AsUser) -> None:
    page = as_user(alice).get("/gallery/").content.decode()
    assert "An empty sheet" in page
    assert 'href="/studio/"' in page


def test_gallery_shows_ones_own_frames_newest_first(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser
) -> None:
    make_image(alice, model, prompt="an old boat")
    make_image(alice, model, prompt="a new boat", created_at=NOON + timedelta(minutes=1))
    make_image(mallory, model, prompt="a stolen boat")
    page = as_user(alice).get("/gallery/").content.decode()
    assert page.index("a new boat") < page.index("an old boat")
    assert "a stolen boat" not in page


def test_gallery_shows_held_frames_without_their_picture(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model, state=ImageState.HELD)
    page = as_user(alice).get("/gallery/").content.decode()
    assert "Held for review" in page
    assert f"/images/{image.id}/file/" not in page


def test_gallery_turns_its_sheets_and_keeps_the_filter(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    for place in range(FRAMES_A_SHEET + 1):
        make_image(alice, model, created_at=NOON + timedelta(seconds=place))
    client = as_user(alice)
    page = client.get("/gallery/?state=released").content.decode()
    assert page.count("<figure") == FRAMES_A_SHEET
    assert 'href="?state=released&amp;page=2"' in page
    assert client.get("/gallery/?page=2").content.decode().count("<figure") == 1
    for wrong in ("0", "99", "x"):
        assert client.get(f"/gallery/?page={wrong}").status_code == 200


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("text=WHALE", "a blue whale", "a red fox"),
        ("state=held", "a red fox", "a blue whale"),
        ("model=other", "a red fox", "a blue whale"),
        ("model=nonsense&state=nonsense", "a red fox", "nothing"),
    ],
)
def test_gallery_narrows(
    alice: User, model: BaseModel, as_user: AsUser, query: str, shown: str, hidden: str
) -> None:
    other = make_model(slug="other", name="Other", is_default=False)
    make_image(alice, model, prompt="a blue whale")
    make_image(alice, other, prompt="a red fox", state=ImageState.HELD)
    page = as_user(alice).get(f"/gallery/?{query}").content.decode()
    assert shown in page
    assert hidden not in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("size=64x96", {"fox"}),
        ("seed=7", {"fox"}),
        ("seed=0", {"whale"}),
        ("since=2026-11-02", {"fox"}),
        ("until=2026-11-01", {"whale"}),
        ("adapter=flat", {"whale"}),
        ("adapter=flat&seed=7", set()),
        ("seed=-1&size=64x96", {"fox"}),
        ("since=yesterday", {"fox", "whale"}),
    ],
)
def test_gallery_narrows_further(
    alice: User, model: BaseModel, as_user: AsUser, query: str, shown: set[str]
) -> None:
    """A value that cannot be read narrows nothing; the others do."""
    first = datetime(2026, 11, 1, 23, 59, tzinfo=UTC)
    whale = make_image(alice, model, prompt="a whale", seed=0, created_at=first)
    make_image(
        alice, model, prompt="a fox", seed=7, width=64, height=96,
        created_at=first + timedelta(minutes=2),
    )  # fmt: skip
    adapter = make_adapter(model, slug="flat", name="Flat")
    whale.request.request_adapters.create(
        adapter=adapter, weight=1, sha256=adapter.sha256, position=0
    )
    GeneratedImage.objects.filter(id=whale.id).update(
        adapters=[{"slug": "flat", "name": "Flat", "weight": 1, "sha256": adapter.sha256}]
    )
    page = as_user(alice).get(f"/gallery/?{query}", HTTP_HX_REQUEST="true").content.decode()
    assert {name for name in ("fox", "whale") if f"a {name}" in page} == shown


def test_gallery_begins_with_the_oldest_where_it_is_asked(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    make_image(alice, model, prompt="an old boat")
    make_image(alice, model, prompt="a new boat", created_at=NOON + timedelta(minutes=1))
    page = as_user(alice).get("/gallery/?order=oldest").content.decode()
    assert page.index("an old boat") < page.index("a new boat")


def test_a_sheet_of_frames_weighs_little(alice: User, model: BaseModel, as_user: AsUser) -> None:
    made = make_image(alice, model, file=saved_picture(512))
    client = as_user(alice)
    page = client.get("/gallery/").content.decode()
    assert f'src="/images/{made.id}/thumbnail/256/"' in page
    assert f"/images/{made.id}/thumbnail/512/ 512w" in page
    small = client.get(f"/images/{made.id}/thumbnail/256/")
    assert small["Content-Type"] == "image/webp"
    assert Image.open(BytesIO(small.content)).size == (256, 256)
    assert len(small.content) * FRAMES_A_SHEET <= 250_000
    again = client.get(f"/images/{made.id}/thumbnail/256/", HTTP_IF_NONE_MATCH=small["ETag"])
    assert again.status_code == 304


@pytest.mark.parametrize("width", [255, 0, 100_000])
def test_no_other_size_of_a_thumbnail_is_made(
    alice: User, model: BaseModel, as_user: AsUser, width: int
) -> None:
    made = make_image(alice, model, file=saved_picture(64))
    assert as_user(alice).get(f"/images/{made.id}/thumbnail/{width}/").status_code == 404


def test_thumbnails_are_their_owners_and_of_what_is_released(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser
) -> None:
    made = make_image(alice, model, file=saved_picture(64))
    held = make_image(alice, model, file=saved_picture(64), state=ImageState.HELD)
    assert as_user(mallory).get(f"/images/{made.id}/thumbnail/256/").status_code == 404
    assert as_user(alice).get(f"/images/{held.id}/thumbnail/256/").status_code == 404


def test_a_blurred_image_has_a_blurred_thumbnail(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    made = make_image(alice, model, file=saved_picture(512), restriction="blurred")
    client = as_user(alice)
    blurred = client.get(f"/images/{made.id}/thumbnail/512/")
    made.show(at=NOON)
    shown = client.get(f"/images/{made.id}/thumbnail/512/", HTTP_IF_NONE_MATCH=blurred["ETag"])
    assert shown.status_code == 200
    edges = [np.abs(np.diff(np.asarray(Image.open(BytesIO(a.content)).convert("L"), float))).mean()
             for a in (blurred, shown)]  # fmt: skip
    assert edges[0] < edges[1] / 3


def test_ticked_frames_are_downloaded_as_they_were_signed(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser
) -> None:
    mine = [make_image(alice, model, file=saved_picture(64, seed=seed)) for seed in (1, 2)]
    held = make_image(alice, model, file=saved_picture(64), state=ImageState.HELD)
    theirs = make_image(mallory, model, file=saved_picture(64))
    wanted = {"frame": [*(str(i.id) for i in (*mine, held, theirs)), "nonsense"]}
    answer = as_user(alice).post("/gallery/download/", wanted)
    assert answer["Content-Type"] == "application/zip"
    with ZipFile(BytesIO(answer.content)) as files:
        assert {name: files.read(name) for name in files.namelist()} == {
            f"proofsheet-{each.id}.png": private_storage().open(str(each.file.name)).read()
            for each in mine
        }


def test_an_archive_has_a_bound(alice: User, as_user: AsUser) -> None:
    ids = [str(uuid4()) for _ in range(FRAMES_A_SHEET + 1)]
    answer = as_user(alice).post("/gallery/download/", {"frame": ids}, follow=True)
    assert "At most 24 frames come in one archive." in answer.content.decode()


def test_downloading_nothing_says_so(alice: User, as_user: AsUser) -> None:
    answer = as_user(alice).post("/gallery/download/", follow=True)
    assert "Tick frames that are released first." in answer.content.decode()


def test_filter_that_fits_nothing_offers_everything(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    make_image(alice, model)
    answer = as_user(alice).get("/gallery/?text=zebra", HTTP_HX_REQUEST="true")
    page = answer.content.decode()
    assert "No frame matches" in page
    assert "<html" not in page


def test_deleting_asks_then_erases_the_picture(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model, prompt="a torn page")
    client = as_user(alice)
    asked = client.get(f"/images/{image.id}/delete/").content.decode()
    assert "Delete this image?" in asked
    assert GeneratedImage.objects.get().deleted_at is None
    answer = client.post(f"/images/{image.id}/delete/", follow=True)
    assert "The image is deleted" in answer.content.decode()
    assert "a torn page" not in answer.content.decode()
    assert client.get(f"/images/{image.id}/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_deleting_removes_the_file(alice: User, model: BaseModel, as_user: AsUser) -> None:
    image = make_image(alice, model)
    name = str(image.file.name)
    as_user(alice).post(f"/images/{image.id}/delete/")
    assert not private_storage().exists(name)


def test_a_frame_under_review_cannot_be_deleted(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model, state=ImageState.HELD)
    answer = as_user(alice).post(f"/images/{image.id}/delete/")
    assert answer.status_code == 409
    assert "A person is still to review this" in answer.content.decode()


def test_frame_numbers_survive_a_deletion(alice: User, model: BaseModel, as_user: AsUser) -> None:
    first = make_image(alice, model, prompt="first")
    make_image(alice, model, prompt="second", created_at=NOON + timedelta(minutes=1))
    client = as_user(alice)
    client.post(f"/images/{first.id}/delete/")
    assert "<span>1A</span>" in client.get("/gallery/").content.decode()


def test_ticked_frames_are_shown_once_more_and_then_deleted(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    gone = [make_image(alice, model, prompt=f"torn {place}") for place in (1, 2)]
    make_image(alice, model, prompt="kept")
    client = as_user(alice)
    ticked = {"frame": [str(image.id) for image in gone]}
    asked = client.post("/gallery/delete/", ticked).content.decode()
    assert "Delete 2 images?" in asked
    assert GeneratedImage.objects.filter(deleted_at__isnull=False).count() == 0
    page = client.post("/gallery/delete/", ticked | {"confirmed": ["yes"]}, follow=True)
    assert "kept" in page.content.decode()
    assert "torn" not in page.content.decode()


@pytest.mark.parametrize("frames", [[], ["nonsense"]])
def test_ticking_nothing_says_so(
    alice: User, model: BaseModel, as_user: AsUser, frames: list[str]
) -> None:
    page = as_user(alice).post("/gallery/delete/", {"frame": frames}, follow=True)
    assert "Tick the frames to delete first." in page.content.decode()


@pytest.mark.parametrize(("state", "status"), [(ImageState.RELEASED, 404), (ImageState.HELD, 409)])
def test_one_frame_that_may_not_be_deleted_keeps_them_all(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser, state: str, status: int
) -> None:
    mine = make_image(mallory, model)
    other = make_image(mallory if state == ImageState.HELD else alice, model, state=state)
    form = {"frame": [str(mine.id), str(other.id)], "confirmed": "yes"}
    assert as_user(mallory).post("/gallery/delete/", form).status_code == status
    assert not GeneratedImage.objects.filter(deleted_at__isnull=False).exists()


def test_frames_under_review_cannot_be_ticked(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    make_image(alice, model, state=ImageState.HELD)
    assert 'type="checkbox"' not in as_user(alice).get("/gallery/").content.decode()
