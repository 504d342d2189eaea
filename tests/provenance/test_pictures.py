"""Files from strangers: each oddity has its own answer, and nothing gets through as a crash."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provenance.pictures import decoder, file_parts, pixel_decoding, sandbox
from provenance.pictures.refusals import not_a_picture
from provenance.verify import submitted_files
from tests.provenance.big_pictures import many_scans, plain_png
from tests.provenance.files import SVG, converted, refused, saved, turned_jpeg
from tests.provenance.pictures import photograph
from tests.provenance.shown_pictures import cases, drawing, with_segment

REFUSED, CONVERTED, SHOWN = refused(), converted(), cases()
BLUE = (30, 60, 200)
UPRIGHT = (
    "exif_", "xmp", "workflow", "ancillary", "cut_by_two", "padded", "profile_bomb", "text_bomb",
)  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_read_refuses_by_name(name: str) -> None:
    data, code, status = REFUSED[name]
    with pytest.raises(decoder.PictureUnreadable) as refusal:
        decoder.read(data)
    assert (refusal.value.code, refusal.value.status) == (code, status)


@pytest.mark.parametrize("name", CONVERTED)
def test_read_converts_and_says_so(name: str) -> None:
    data, word = CONVERTED[name]
    picture = decoder.read(data)
    assert word in " ".join(picture.notes)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape[2] == 3


@pytest.mark.parametrize(
    ("kind", "cut"), [("PNG", 12), ("PNG", 2), ("JPEG", 2), ("WEBP", 12)], ids=str
)
def test_a_file_without_its_end_is_read_and_says_so(kind: str, cut: int) -> None:
    pixels = photograph("coffee", 128)
    exif = Image.Exif()
    exif[0x010E] = "what stands last in a WebP"
    data = saved(pixels, kind, lossless=True, quality=95, exif=exif)
    assert not any("end of the file" in note for note in decoder.read(data).notes)
    picture = decoder.read(data[:-cut])
    assert "The end of the file is missing; it was read as far as it goes." in picture.notes
    assert np.abs(picture.pixels.astype(int) - pixels).mean() < 3


def test_turned_picture_comes_upright() -> None:
    assert decoder.read(turned_jpeg()).pixels.shape == (128, 64, 3)


def test_deep_picture_keeps_its_shades() -> None:
    pixels = decoder.read(CONVERTED["deep_grey.png"][0]).pixels
    assert int(pixels.max()) > 200
    assert int(pixels.min()) < 10


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_lossless_picture_round_trips(kind: str) -> None:
    pixels = photograph("coffee", 128)
    picture = decoder.read(saved(pixels, kind, lossless=True))
    assert (picture.pixels == pixels).all()
    assert picture.notes == ()


def test_transparent_ground_is_white() -> None:
    data = saved(Image.new("RGBA", (32, 32), (0, 0, 0, 0)), "PNG")
    assert (decoder.read(data).pixels == 255).all()


@pytest.mark.parametrize("name", [name for name in SHOWN if name.startswith(UPRIGHT)])
def test_ancillary_data_keeps_no_picture_from_being_read(name: str) -> None:
    is_turned = name == "exif_loop.jpg"
    pixels = decoder.read(SHOWN[name]).pixels.astype(int)
    assert pixels.shape == ((96, 64, 3) if is_turned else (64, 96, 3))
    assert np.abs(pixels[2, -3 if is_turned else 2] - BLUE).max() <= 3


def test_profile_that_exchanges_the_primaries_exchanges_the_colours() -> None:
    red, green, blue = (int(value) for value in decoder.read(SHOWN["exchanged.png"]).pixels[2, 2])
    assert red > 150 > blue
    assert green < red


def test_transparent_colour_is_told_by_all_sixteen_bits() -> None:
    pixels = decoder.read(SHOWN["grey_16_near_key.png"]).pixels
    assert (pixels[:, :48] == 1001 >> 8).all()
    assert (pixels[:, 48:] == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_large_picture_is_shrunk_and_keeps_its_size_and_look(kind: str) -> None:
    whole = drawing(3000, 2000)
    picture = decoder.read(saved(whole, kind, **({"quality": 95} if kind != "PNG" else {})))
    assert (picture.width, picture.height) == whole.size
    assert picture.pixels.shape == (1000, 1500, 3)
    assert "3000 × 2000" in " ".join(picture.notes)
    expected = np.asarray(whole.reduce(2), int)
    assert np.abs(picture.pixels - expected).mean() < 2


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "CMYK"])
def test_large_picture_of_any_mode_is_shrunk_as_a_whole(mode: str) -> None:
    whole = drawing(3000, 2000).convert(mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    shrunk = decoder.read(saved(whole, kind)).pixels.astype(int)
    assert np.abs(shrunk - np.asarray(whole.convert("RGB").reduce(2), int)).mean() < 3


def test_turned_large_picture_comes_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decoder.read(saved(drawing(3000, 2000), "JPEG", exif=exif))
    assert (picture.width, picture.height) == (2000, 3000)
    assert picture.pixels.shape == (1500, 1000, 3)


def test_fifty_megapixels_are_taken() -> None:
    picture = decoder.read(saved(Image.new("RGB", (8192, 6144), BLUE), "JPEG", quality=50))
    assert (picture.width, picture.height) == (8192, 6144)
    assert picture.pixels.shape == (1536, 2048, 3)


def test_whole_picture_keeps_every_pixel() -> None:
    whole = np.asarray(drawing(3000, 2000))
    assert (decoder.read_whole(saved(whole, "PNG")).pixels == whole).all()


def _chunk_for_each_byte() -> bytes:
    png = plain_png(64, 64)
    return png[:33] + b"\0\0\0\0teXt\0\0\0\0" * file_parts.MOST_CHUNKS + png[33:]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: plain_png(8000, 6000, depth=16, colour=6), "too_many_pixels"),
        (lambda: plain_png(9000, 6000, depth=1, colour=0), "too_many_pixels"),
        (lambda: many_scans(2000, 2000, 65), "picture_too_costly"),
        (lambda: many_scans(7000, 4800, 40), "picture_too_costly"),
        (_chunk_for_each_byte, "picture_too_costly"),
        (lambda: saved(drawing(), "JPEG").replace(b"\xff\xc0", b"\xff\xc9"), "picture_unreadable"),
    ],
    ids=["deep", "large", "scans", "scans of a large one", "chunks", "arithmetic"],
)
def test_costly_file_is_refused_before_it_is_decoded(
    make: Callable[[], bytes], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_decoding, "decode", None)
    monkeypatch.setattr(sandbox, "read", None)
    with pytest.raises(decoder.PictureUnreadable) as refusal:
        decoder.read(make())
    assert refusal.value.code == code


def test_jpeg_that_lacks_its_lower_half_is_damaged() -> None:
    jpeg = saved(photograph("coffee", 128), "JPEG")
    with pytest.raises(decoder.PictureUnreadable):
        decoder.read(jpeg[: len(jpeg) // 2])


def test_profile_in_pieces_is_put_together_and_one_with_a_gap_left_aside() -> None:
    icc = Image.open(io.BytesIO(SHOWN["exchanged.png"])).info["icc_profile"]
    jpeg, half = saved(drawing(), "JPEG", quality=95), len(icc) // 2
    first, second = b"ICC_PROFILE\0\1\2" + icc[:half], b"ICC_PROFILE\0\2\2" + icc[half:]
    whole = with_segment(with_segment(jpeg, 0xE2, first), 0xE2, second)
    assert np.argmax(decoder.read(whole).pixels[2, 2]) == 0
    assert np.argmax(decoder.read(with_segment(jpeg, 0xE2, second)).pixels[2, 2]) == 2


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"GIF89a", "GIF"),
        (b"II*\0", "TIFF"),
        (b"BM", "BMP"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video"),
        (SVG, "SVG"),
        (b"<!DOCTYPE html><html>", "web page"),
    ],
)
def test_format_that_is_not_read_is_named(start: bytes, word: str) -> None:
    with pytest.raises(decoder.NotAPicture) as refusal:
        decoder.read(start + bytes(64))
    assert word in refusal.value.message


def test_no_advice_has_somebody_destroy_the_credentials_they_ask_about() -> None:
    refusals = [
        decoder.PictureUnreadable(),
        decoder.PictureAnimated(),
        decoder.TooManyPixels(),
        decoder.PictureTooCostly(),
        submitted_files.FileTooLarge(),
        not_a_picture(b"GIF89a"),
        not_a_picture(b"?"),
    ]
    for refusal in refusals:
        makes_a_copy = any(word in refusal.advice for word in ("copy", "frame", "xport"))
        assert not makes_a_copy or "loses the Content Credentials" in refusal.advice
        assert "screenshot" not in refusal.advice


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_any_damage_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    file = bytearray(saved(photograph("coffee", 128), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoder.read(bytes(file))
    except decoder.PictureUnreadable:
        return
