"""What came of a prompt or a picture that is let through: the rooms that make pictures register a
source here, and whoever holds a public address fetches them without an account.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Stage = Literal["making", "made", "none"]


@dataclass(frozen=True, slots=True)
class DeliverablePicture:
    """A released PNG; `read` gives its bytes."""

    id: UUID
    width: int
    height: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Delivered:
    """How far it is, and the pictures that can be fetched now."""

    stage: Stage
    pictures: tuple[DeliverablePicture, ...] = ()


Source = Callable[[str, UUID], Delivered | None]
_sources: dict[str, Source] = {}


def register(room: str, source: Source) -> None:
    """Ask `source` for what came of a subject of that kind; None where it is another room's."""
    _sources[room] = source


def find(kind: str, subject_id: UUID) -> Delivered:
    """What came of a subject."""
    answers = (source(kind, subject_id) for source in _sources.values())
    return next((found for found in answers if found is not None), Delivered("none"))
