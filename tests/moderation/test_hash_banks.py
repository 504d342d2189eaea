"""Banks of known bad pictures: import, export, gradual enforcement, and what matches them."""

import json
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from PIL import Image, ImageDraw

from moderation.hash_banks import known_pictures
from moderation.models import BankMatch, HashBank, Screening
from moderation.screening import classify
from provenance.pictures.decoder import PictureUnreadable
from tests.moderation.makers import NOON


class Calm:
    """An image classifier that finds nothing."""

    name, version = "calm", "1"

    def score(self, data: bytes) -> dict[str, float]:
        return {"sexual": 0.0}


def drawing(*, seed: int = 0, turned: int = 0, kind: str = "PNG", side: int = 512) -> bytes:
    """A picture with enough in it for a fingerprint."""
    image = Image.linear_gradient("L").resize((512, 512)).convert("RGB")
    pen = ImageDraw.Draw(image)
    pen.ellipse((60 + 90 * seed, 40, 300, 260 + 60 * seed), "white")
    pen.rectangle((40, 330, 200 + 100 * seed, 480), "black")
    pen.polygon(((480, 60), (330, 420), (500, 400 - 120 * seed)), "gray")
    out = BytesIO()
    image.rotate(turned).resize((side, side)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def bank(carol: User) -> HashBank:
    made = known_pictures.create("Known ones", category="minors", by=carol, at=NOON)
    known_pictures.add_picture(made, drawing(), note="case 7", by=carol, at=NOON)
    return made


def screened(data: bytes) -> classify.ImageVerdict:
    return classify.screen_image(data, at=NOON, classifier=Calm())


def test_bank_that_does_not_act_counts_its_matches_and_allows(bank: HashBank) -> None:
    verdict = screened(drawing())
    assert verdict.verdict == "allow"
    match = BankMatch.objects.get()
    assert (match.distance, match.is_enforced) == (0, False)
    assert match.screening_id == verdict.screening_id


def test_bank_that_acts_refuses_what_is_near(bank: HashBank, carol: User) -> None:
    known_pictures.enforce(bank, 100, by=carol)
    near = screened(drawing(kind="JPEG", side=300))
    assert (near.verdict, near.code) == ("refuse", "image_refused")
    assert near.categories["minors"] == 1.0
    assert Screening.objects.get(id=near.screening_id).verdict == "refuse"
    assert BankMatch.objects.get().is_enforced


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_match_sees_through_turning(turned: int, bank: HashBank) -> None:
    assert [match.banked.note for match in known_pictures.near(drawing(turned=turned))] == [
        "case 7"
    ]


def test_another_picture_does_not_match(bank: HashBank) -> None:
    assert known_pictures.near(drawing(seed=2)) == []


def test_upload_is_screened_like_a_drawn_picture_under_a_code_of_its_own(
    bank: HashBank, carol: User
) -> None:
    known_pictures.enforce(bank, 100, by=carol)
    verdict = classify.screen_upload(drawing(), at=NOON, classifier=Calm())
    assert (verdict.verdict, verdict.code) == ("refuse", "upload_refused")
    with pytest.raises(PictureUnreadable):
        classify.screen_upload(b"no picture", at=NOON, classifier=Calm())


def test_raising_the_share_only_adds_to_what_acts(carol: User) -> None:
    made = known_pictures.create("many", category="hate", by=carol, at=NOON)
    lines = "".join(f"{number:064x}\n" for number in range(400))
    assert known_pictures.take_in(made, lines.encode(), by=carol, at=NOON) == 400
    acting = [
        set(made.hashes.filter(bucket__lt=percent).values_list("id", flat=True))
        for percent in (10, 40)
    ]
    assert acting[0] < acting[1]
    assert 100 < len(acting[1]) < 220


def test_export_gives_what_import_took_in_byte_for_byte(carol: User) -> None:
    made = known_pictures.create("first", category="hate", by=carol, at=NOON)
    lines = f"\ufeff# from an exchange\n{'AB' * 32}, seen in May\n\n{'01' * 32}\n{'01' * 32}\n"
    assert known_pictures.take_in(made, lines.encode(), by=carol, at=NOON) == 2
    assert known_pictures.take_in(made, lines.encode(), by=carol, at=NOON) == 0
    out = known_pictures.export(made, by=carol)
    assert out == f"{'01' * 32}\n{'ab' * 32},seen in May\n".encode()
    copy = known_pictures.create("second", category="hate", by=carol, at=NOON)
    known_pictures.take_in(copy, out, by=carol, at=NOON)
    assert known_pictures.export(copy, by=carol) == out


@pytest.mark.parametrize("data", [b"abc\n", b"01" * 31, b"\xff\xfe", b"zz" * 32])
def test_file_with_anything_else_is_refused_whole(data: bytes, bank: HashBank, carol: User) -> None:
    with pytest.raises(known_pictures.HashFileInvalid):
        known_pictures.take_in(bank, b"02" * 32 + b"\n" + data, by=carol, at=NOON)
    assert bank.hashes.count() == 1


def test_page_begins_fills_and_enforces_a_bank(carol: User, as_user: Any) -> None:
    client = as_user(carol)
    client.post(reverse("moderation:bank-create"), {"name": "Terror list", "category": "hate"})
    made = HashBank.objects.get(name="terror-list")
    hashes = SimpleUploadedFile("list.csv", b"03" * 32)
    client.post(reverse("moderation:bank-fill", args=[made.name]), {"hashes": hashes})
    client.post(reverse("moderation:bank-enforce", args=[made.name]), {"percent": "25"})
    made.refresh_from_db()
    assert (made.hashes.count(), made.enforced_percent) == (1, 25)
    assert "terror-list" in client.get(reverse("moderation:banks")).content.decode()
    out = client.get(reverse("moderation:bank-export", args=[made.name]))
    assert out.content == b"03" * 32 + b"\n"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("bank-create", {"name": "", "category": "hate"}),
        ("bank-create", {"name": "x", "category": "cats"}),
    ],
)
def test_page_says_what_is_wrong(
    name: str, form: dict[str, str], carol: User, as_user: Any
) -> None:
    answer = as_user(carol).post(reverse(f"moderation:{name}"), form)
    assert answer.status_code == 422
    assert "bank_invalid" in answer.content.decode()


@pytest.mark.parametrize("percent", ["101", "-1", "many", ""])
def test_share_is_0_to_100_per_cent(
    percent: str, bank: HashBank, carol: User, as_user: Any
) -> None:
    address = reverse("moderation:bank-enforce", args=[bank.name])
    assert as_user(carol).post(address, {"percent": percent}).status_code == 422


@pytest.mark.parametrize("name", ["alice", "bob", "dora"])
def test_banks_are_refused_without_the_role(
    name: str, bank: HashBank, request: Any, as_user: Any
) -> None:
    client = as_user(request.getfixturevalue(name))
    assert client.get(reverse("moderation:banks")).status_code == 403
    assert client.get(reverse("moderation:bank-export", args=[bank.name])).status_code == 403


def test_note_of_several_lines_adds_no_fingerprint_to_the_file(carol: User) -> None:
    bank = known_pictures.create("Known ones", category="minors", by=carol, at=NOON)
    note = f"case 7\n{'ab' * 32}\0"
    known_pictures.add_picture(bank, drawing(), note=note, by=carol, at=NOON)
    [line] = known_pictures.export(bank, by=carol).decode().splitlines()
    assert line.endswith(f",case 7 {'ab' * 32}")


@pytest.mark.parametrize("percent", ["", "half", "-1", "101", "²", "9" * 5000])
def test_page_refuses_a_share_that_is_no_percentage(
    bank: HashBank, carol: User, percent: str, as_user: Any
) -> None:
    address = reverse("moderation:bank-enforce", args=[bank.name])
    answer = as_user(carol).post(address, {"percent": percent})
    assert (answer.status_code, "bank_invalid" in answer.content.decode()) == (422, True)
    bank.refresh_from_db()
    assert bank.enforced_percent == 0


def test_command_says_what_the_banks_say_and_stores_nothing(
    bank: HashBank, carol: User, tmp_path: Path
) -> None:
    (file := tmp_path / "known.png").write_bytes(drawing())
    assert verdict_of(file) == ("allow", None)
    known_pictures.enforce(bank, 100, by=carol)
    assert verdict_of(file) == ("refuse", 1.0)
    assert not Screening.objects.exists()


def verdict_of(file: Path) -> tuple[str, float | None]:
    out = StringIO()
    call_command("screen_image", str(file), "--json", stdout=out)
    said = json.loads(out.getvalue())
    return said["verdict"], said["categories"].get("minors")


def test_bank_has_a_name_of_its_own(bank: HashBank, carol: User) -> None:
    with pytest.raises(known_pictures.BankInvalid):
        known_pictures.create(bank.name, category="nudity", by=carol, at=NOON)
