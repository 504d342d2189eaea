"""The picture under review: a blurred grayscale derivative for everyone who reviews it, and the
full one only after a reveal that is recorded.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.db import transaction
from PIL import Image, ImageFilter, ImageOps

from config.core.errors import ProofsheetError
from moderation.cases import wellbeing
from moderation.cases.review_cases import SEVERE
from moderation.models import Reveal
from moderation.subjects.evidence import Evidence, ScreenedFile
from provenance.keys.installed_keys import keyring
from provenance.log import transparency_log
from provenance.pictures import decoder

DERIVATIVE_SIDE = 256  # pixels of its longer side
REVEAL_LASTS = timedelta(minutes=30)
REVEALS = UUID("6a1f3f0e-6f0b-5c0e-9d57-3a3f5c0d9b61")  # names the log's entries of reveals


class CaseWithoutPicture(ProofsheetError):
    """The subject has no picture, or its file was erased."""

    default_code = "picture_gone"
    default_message = "There is no picture here any more."
    default_advice = "Its owner may have deleted it; the rest of the case still stands."
    default_status = 404


class PictureAltered(ProofsheetError):
    """The stored file is not the one that was screened."""

    default_code = "picture_altered"
    default_message = "The stored picture is not the one that was screened."
    default_advice = "Do not decide; tell the operator."
    default_status = 409


class NotRevealed(ProofsheetError):
    """The full picture was asked for without a reveal."""

    default_code = "not_revealed"
    default_message = "The full picture is shown only after you reveal it."
    default_advice = "Press “Reveal the picture” on the case's page."
    default_status = 403


@dataclass(frozen=True, slots=True)
class ShownSubject:
    """Whose picture is looked at: its subject, how severe its case is, its frozen evidence."""

    subject_kind: str
    subject_id: UUID
    severity: int
    evidence: Evidence
    category: str = ""

    @property
    def sha256(self) -> str:
        """Digest of the screened file; raises NoPicture where the evidence names none."""
        return self._picture.sha256

    @property
    def file(self) -> str:
        return self._picture.file

    @property
    def _picture(self) -> ScreenedFile:
        picture = self.evidence.image
        if picture is None or not picture.file:
            raise CaseWithoutPicture
        return picture


def derivative(shown: ShownSubject, *, blur: int) -> bytes:
    """A small grayscale WebP, blurred by `blur` pixels so that figures are seen and details are
    not; the full picture never leaves the server for it.

    Raises CaseWithoutPicture, PictureAltered, decoder.PictureUnreadable.
    """
    image = Image.fromarray(decoder.read(_read(shown)).pixels)
    image.thumbnail((DERIVATIVE_SIDE, DERIVATIVE_SIDE))
    gray = ImageOps.grayscale(image).filter(ImageFilter.GaussianBlur(blur))
    out = BytesIO()
    gray.save(out, "WEBP", quality=60)
    return out.getvalue()


@transaction.atomic
def reveal(shown: ShownSubject, *, by: User, at: datetime) -> None:
    """Record that `by` looks at the full picture; of a severe case in the log too.

    Raises CaseWithoutPicture, wellbeing.OnBreak, wellbeing.BreakDue, wellbeing.BudgetSpent.
    """
    assert shown.sha256
    wellbeing.check_rested(by=by, at=at)
    if is_revealed(shown, by=by, at=at):
        return
    wellbeing.check_reveal(by=by, at=at)
    row = Reveal.objects.create(
        subject_kind=shown.subject_kind,
        subject_id=shown.subject_id,
        revealed_by=by,
        category=shown.category,
        severity=shown.severity,
        revealed_at=at,
    )
    if shown.severity >= SEVERE:
        transparency_log.append(
            kind="moderation.reveal",
            subject=uuid5(REVEALS, str(row.pk)),
            body={"severity": shown.severity, "reveal": row.pk, "commitment": commitment(row)},
            at=at,
        )


def commitment(row: Reveal) -> str:
    """What the log keeps of a reveal, hexadecimal: the picture under the house's key, for the
    public entry must not say whose picture came before reviewers.
    """
    said = f"reveal {row.subject_kind} {row.subject_id}"
    return transparency_log.commitment(keyring().pseudonym_key, said)


def is_revealed(shown: ShownSubject, *, by: User, at: datetime) -> bool:
    """Whether `by` revealed this picture within the last half hour."""
    return Reveal.objects.filter(
        subject_kind=shown.subject_kind,
        subject_id=shown.subject_id,
        revealed_by=by,
        revealed_at__gt=at - REVEAL_LASTS,
    ).exists()


def full(shown: ShownSubject, *, by: User, at: datetime) -> bytes:
    """The file as it was screened; a break covers what was revealed before it.

    Raises CaseWithoutPicture, NotRevealed, PictureAltered, wellbeing.OnBreak.
    """
    wellbeing.check_rested(by=by, at=at)
    if not is_revealed(shown, by=by, at=at):
        raise NotRevealed
    return _read(shown)


def _read(shown: ShownSubject) -> bytes:
    digest = shown.sha256
    try:
        with storages["private"].open(shown.file) as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise CaseWithoutPicture from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise PictureAltered
    return data
