"""Why a picture that a stranger sent is not looked at. Pure.

No advice makes somebody destroy what they ask about: a copy in another format or size loses the
Content Credentials, and where a copy is spoken of, that is said.
"""

from typing import Literal

from config.core.errors import ProofsheetError

Mime = Literal["image/png", "image/jpeg", "image/webp", "image/avif", "image/heic"]
MIN_SIDE = 16
ACCEPT = "image/png,image/jpeg,image/webp,image/avif,image/heic,image/heif"
"""For file fields of forms."""
READ = "PNG, JPEG, WebP, AVIF and HEIC pictures"
COPY_LOSES = (
    "A copy of it can be checked for the watermark and the likeness, but loses the Content "
    "Credentials, so keep this file."
)


class PictureUnreadable(ProofsheetError):
    """The root of everything that keeps a file from being looked at."""

    default_code = "picture_unreadable"
    default_message = "The file is damaged: it ends early or does not hold what its header says."
    default_advice = "Download it again from where it came from, and try that file."
    default_status = 422


class PictureEmpty(PictureUnreadable):
    """A file of no bytes."""

    default_code = "picture_empty"
    default_message = "The file is empty."
    default_advice = f"Choose a file with a picture in it; {READ} are read."


class NotAPicture(PictureUnreadable):
    """Bytes that begin like none of the formats that are read."""

    default_code = "not_a_picture"
    default_message = f"The file is not one of the {READ} that are read, whatever its name says."
    default_advice = f"If it shows a picture elsewhere, keep it. {COPY_LOSES}"
    default_status = 415


class PictureAnimated(PictureUnreadable):
    """A file with more than one frame."""

    default_code = "picture_animated"
    default_message = "The file is animated; pixel marks are looked for in still pictures."
    default_advice = (
        "A frame that is saved as a picture of its own can be checked for the watermark and the "
        "likeness, but loses the Content Credentials, so keep this file."
    )
    default_status = 415


class TooManyPixels(PictureUnreadable):
    """A width and height that are past the bound before anything is decoded."""

    default_code = "too_many_pixels"
    default_message = "The picture has more pixels than are looked at."
    default_advice = COPY_LOSES.replace("A copy", "A smaller copy")
    default_status = 413


class PictureTooCostly(PictureUnreadable):
    """A picture whose coding would take more time or memory than one is given."""

    default_code = "picture_too_costly"
    default_message = "The picture takes more time or memory to decode than one is given."
    default_advice = COPY_LOSES
    default_status = 413


class PictureTooSmall(PictureUnreadable):
    """Fewer pixels than any mark needs."""

    default_code = "picture_too_small"
    default_message = f"The picture is less than {MIN_SIDE} pixels wide or high."
    default_advice = "Send a larger copy: so few pixels hold no marks."


_STARTS = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF, or a camera's raw file"),
    (b"MM\0*", "a TIFF, or a camera's raw file"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF"),
    (b"\x1aE\xdf\xa3", "a video (WebM or Matroska)"),
    (b"PK\3\4", "a ZIP archive or an office document"),
)
_TEXTS = ((b"<svg", "an SVG drawing"), (b"<html", "a web page"), (b"<!doctype html", "a web page"))


def not_a_picture(data: bytes) -> NotAPicture:
    """The refusal of a file that is not read, named by its format where its first bytes tell."""
    if data[4:8] == b"ftyp":
        is_picture = data[8:12] in (b"mif1", b"msf1") or data[8:11] == b"hei"
        named = "a HEIF of an unusual kind" if is_picture else "a video (MP4 or QuickTime)"
    else:
        text = data[:1024].lower()
        starts = (name for start, name in _STARTS if data.startswith(start))
        named = next(starts, "") or next((name for tag, name in _TEXTS if tag in text), "")
    if not named:
        return NotAPicture()
    if named == "a web page":
        return NotAPicture(
            message="The file is a web page, whatever its name says.",
            advice="Save the picture itself, not the page that shows it or says that it may not "
            "be had.",
        )
    return NotAPicture(
        message=f"The file is {named}; {READ} are read.",
        advice=f"Pixel marks are looked for in such pictures alone. {COPY_LOSES}",
    )
