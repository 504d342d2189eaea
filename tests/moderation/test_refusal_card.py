"""A refusal as a picture: its code leads to its address, and it is told for what it is."""

from io import BytesIO

import pytest
from PIL import Image

from moderation.public_notices import card_text, refusal_card
from provenance.assets import notice_signing
from provenance.manifests.content_credentials import SigningFailed
from provenance.manifests.signing_context import signer
from provenance.verify import examination
from tests.moderation.makers import NOON
from tests.qr_codes import scanned

ADDRESS = "https://pictures.example.org/r/4fJ7kQbXw2mNpT9sVyZr3C"
SIZES = [(256, 256), (512, 512), (1024, 1024), (1792, 1024), (1024, 1792), (1024, 256), (256, 1024)]


def drawn(width: int = 512, height: int = 512, **said: str) -> bytes:
    told = {"reason": "Depiction of violence", "address": ADDRESS, "issuer": "Somebody"} | said
    return refusal_card.draw(width=width, height=height, at=NOON, **told)  # type: ignore[arg-type] # words by name


def code_in(png: bytes) -> str:
    return scanned(Image.open(BytesIO(png)))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_code_on_a_card_of_any_size_leads_to_the_address(width: int, height: int) -> None:
    png = drawn(width, height)
    assert Image.open(BytesIO(png)).size == (width, height)
    assert code_in(png) == ADDRESS


def test_code_survives_the_jpeg_of_a_messenger() -> None:
    out = BytesIO()
    Image.open(BytesIO(drawn(256, 256))).save(out, "JPEG", quality=50)
    assert code_in(out.getvalue()) == ADDRESS


def test_address_of_a_house_with_a_long_name_is_on_it_too() -> None:
    long = f"https://{'pictures-' * 6}of.a.company.example.org/studio/r/4fJ7kQbXw2mNpT9sVyZr3C"
    assert code_in(drawn(512, 512, address=long)) == long


@pytest.mark.parametrize("size", [(255, 512), (512, 255), (4097, 512)])
def test_size_that_no_code_can_be_read_from_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(refusal_card.CardSizeUnusable):
        drawn(*size)


@pytest.mark.parametrize("words", ["", "x" * 5000, "a\nb\0c\x1b[31m", "画像 🙂", "<script>" * 40])
def test_any_words_are_drawn(words: str) -> None:
    assert code_in(drawn(256, 256, reason=words, issuer=words)) == ADDRESS


def test_lines_are_no_wider_than_the_card_and_end_in_an_ellipsis() -> None:
    face = card_text.font(12)
    lines = card_text.lines_of("nudity " * 40 + "x" * 400, face, width=200, most=3)
    assert len(lines) == 3
    assert all(face.getlength(line) <= 200 for line in lines)
    assert lines[-1].endswith(card_text.ELLIPSIS)
    assert card_text.lines_of("x" * 400, face, width=200, most=3)[0].startswith("xxx")


def test_text_stands_out_from_its_ground() -> None:
    def luminance(colour: tuple[int, int, int]) -> float:
        parts = [c / 255 for c in colour]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    paper = luminance(refusal_card._PAPER) + 0.05
    for ink in (refusal_card._INK, refusal_card._ACCENT):
        assert paper / (luminance(ink) + 0.05) >= 7


def test_credentials_say_that_a_program_drew_it_and_no_model() -> None:
    png = drawn()
    reading = signer().read(png, "image/png")
    assert (reading.state, reading.asset_id, reading.generation) == ("trusted", None, None)
    assert b"dataDrivenMedia" in png
    assert b"trainedAlgorithmicMedia" not in png


@pytest.mark.django_db
def test_verifying_a_card_says_that_it_is_a_notice() -> None:
    report = examination.check(drawn(), at=NOON)
    assert report.headline == "This system signed it as a notice: no model generated it."
    assert not report.is_ours
    assert report.disclosure is None


@pytest.mark.django_db
def test_picture_that_only_looks_like_a_card_is_no_notice() -> None:
    out = BytesIO()
    Image.open(BytesIO(drawn())).save(out, "PNG")
    assert not examination.check(out.getvalue(), at=NOON).is_notice


def test_card_is_drawn_where_it_cannot_be_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> bytes:
        raise SigningFailed

    monkeypatch.setattr(notice_signing, "signed", fails)
    assert code_in(drawn()) == ADDRESS
