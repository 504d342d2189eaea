"""Which pictures anybody may report: the rooms that show pictures register a source here."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from config.core.errors import ProofsheetError
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Subject


class PictureNotPublic(ProofsheetError):
    """Unknown, not released, withheld or deleted: told apart to nobody."""

    default_code = "picture_not_public"
    default_message = "That picture is not public here."
    default_advice = "It may be deleted or withheld already: then there is nothing left to report."
    default_status = 404


@dataclass(frozen=True, slots=True)
class Reportable:
    """A released picture and what a reviewer is to see of it, with its file under "image"."""

    subject: Subject
    evidence: Evidence


Source = Callable[[UUID], Reportable | None]
_sources: dict[str, Source] = {}


def register(room: str, source: Source) -> None:
    """Ask `source` for pictures, before those of rooms that registered earlier."""
    _sources[room] = source


def find(image_id: UUID) -> Reportable:
    """The released picture; raises PictureNotPublic."""
    for source in reversed(_sources.values()):
        if (found := source(image_id)) is not None:
            return found
    raise PictureNotPublic
