"""Pictures from before this installation: marked late, and said to be.

Each gets a marked copy; the original stays as it is and becomes the copy's parent, with whatever
marks it came with. That this system made it was not observed, and manifest, log and verify page say
so. The asset's id comes from the original's digest, so a run can stop and be started again.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid5

from django.conf import settings

from provenance.assets import marking
from provenance.manifests.definition import SUFFIXES as FILE_SUFFIXES
from provenance.manifests.definition import Parent
from provenance.models import Asset
from provenance.offline.bundle_format import IMAGES
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
STATEMENT = (
    "These pictures were marked at the time that is given here, not when they were made. That this "
    "system made them was not observed: it rests on the word of whoever ran this."
)
_ARCHIVE = UUID("5b0f0a54-6f3c-5c1e-9b63-2f1f4f6f7a10")
_OWNER = "archive"

Outcome = Literal["marked", "marked_before", "unreadable"]


@dataclass(frozen=True, slots=True)
class Archived:
    """What became of one original; `sentence` says why where nothing was made."""

    source: str
    outcome: Outcome
    asset_id: str | None = None
    copy: str | None = None
    sentence: str = ""


def sources(folder: Path, *, out: Path) -> list[Path]:
    """The pictures in a folder and those below it, in order, without the marked copies."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if path.is_file() and out not in path.parents)


def mark(
    source: Path, *, out: Path, model: str, at: datetime, mime: Mime | None = "image/png"
) -> Archived:
    """Write a marked copy of one picture and its record; without `mime` in the picture's format.

    The copy is on disk under a temporary name before the record is committed, so that a crash
    leaves either nothing or something that the next run completes.

    Raises:
        OSError: the copy cannot be written.
        SigningFailed: the copy could not be signed.
    """
    try:
        data = source.read_bytes()
        picture = decoder.read_whole(data)
    except (decoder.PictureUnreadable, OSError) as error:
        return Archived(source.name, "unreadable", sentence=str(error))
    digest = sha256(data).hexdigest()
    asset_id = uuid5(_ARCHIVE, digest)
    mime = mime or (picture.mime if picture.mime in IMAGES else "image/png")
    part = out / f"{source.stem}-{asset_id.hex[:8]}.part"
    target = part.with_suffix(f".{FILE_SUFFIXES[mime]}")
    if before := Asset.objects.filter(sha256=digest).first():
        sentence = "It is a signed file of this installation already."
        return Archived(source.name, "marked_before", str(before.id), sentence=sentence)
    if Asset.objects.filter(id=asset_id).exists():
        return _complete(source, asset_id, part=part)
    marked = marking.embed(picture.pixels, asset_id=asset_id)
    system = marking.SystemInfo(settings.PROOFSHEET_SYSTEM_NAME, settings.PROOFSHEET_VERSION, model)
    sealed = marking.seal(
        marked,
        asset_id=asset_id,
        created_at=at,
        system=system,
        parent=Parent(data, picture.mime, source.name, picture.notes),
        observed=False,
        mime=mime,
    )
    _write(part, sealed.data)
    marking.record(sealed, asset_id=asset_id, owner_pseudonym=_OWNER, at=at)
    part.replace(target)
    return Archived(source.name, "marked", str(asset_id), target.name)


def _complete(source: Path, asset_id: UUID, *, part: Path) -> Archived:
    """The record is there: an earlier run did it all, or stopped just before the last step.

    It may have been told another format.
    """
    if part.exists():
        found = decoder.mime_of(part.read_bytes())
        part.replace(part.with_suffix(f".{FILE_SUFFIXES[found]}"))
    for suffix in FILE_SUFFIXES.values():
        if (copy := part.with_suffix(f".{suffix}")).exists():
            return Archived(source.name, "marked_before", str(asset_id), copy.name)
    sentence = "Its record exists, but the marked copy is no longer here."
    return Archived(source.name, "marked_before", str(asset_id), sentence=sentence)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
