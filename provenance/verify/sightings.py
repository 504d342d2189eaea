"""That somebody has a picture: a signed word of the verifier, for a day.

The log names every picture that was ever marked, so a number proves nothing. Whoever sends the file
gets this word, and a page that shows a picture gives it too; a report is taken on it alone.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core import signing

from config.core.errors import ProofsheetError
from provenance.verify.verdicts import VerifyReport

LASTS = timedelta(days=1)
CHARACTERS_MAX = 300
_SALT = "provenance.sightings"


class SightingInvalid(ProofsheetError):
    """Not signed here, or for something else, or too old."""

    default_code = "sighting_invalid"
    default_message = "Nothing shows that you have this picture."
    default_advice = "Verify the file first: its result leads to the report, for a day."
    default_status = 422


def of_report(report: VerifyReport, *, at: datetime) -> str | None:
    """The word for a file that was just verified; None where no record of ours is its."""
    return give(UUID(report.disclosure.id), at=at) if report.disclosure else None


def give(asset_id: UUID, *, at: datetime) -> str:
    """The word for a picture that is shown to somebody."""
    said = {"picture": str(asset_id), "until": int((at + LASTS).timestamp())}
    return signing.Signer(salt=_SALT).sign_object(said)


def read(token: str, *, at: datetime) -> UUID:
    """The picture that was seen. Raises SightingInvalid."""
    try:
        said: dict[str, Any] = signing.Signer(salt=_SALT).unsign_object(token[:CHARACTERS_MAX])
    except (signing.BadSignature, ValueError) as error:
        raise SightingInvalid from error
    if at.timestamp() > said["until"]:
        raise SightingInvalid(
            code="sighting_expired",
            message=f"You verified this picture more than {LASTS.days * 24} hours ago.",
        )
    return UUID(said["picture"])
