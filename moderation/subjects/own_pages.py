"""Where a person opens what was decided about: the rooms that keep it register a source here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OwnPage:
    """`has_thumbnail`: it is a picture that can be shown there as it is."""

    url: str
    has_thumbnail: bool = False


Source = Callable[[str, UUID, Any], OwnPage | None]  # kind, id, and the account that asks
_sources: dict[str, Source] = {}


def register(kind: str, source: Source) -> None:
    """Ask `source` for subjects of that kind; None where it is gone or not theirs to open."""
    _sources[kind] = source


def find(kind: str, subject_id: UUID, *, by: Any) -> OwnPage | None:
    """The page of a subject, None where this person would find none."""
    source = _sources.get(kind)
    return source(kind, subject_id, by) if source else None
