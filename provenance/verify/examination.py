"""Checking a file against this installation's marks: five verdicts, nothing kept.

Order of the work: the manifest in the file, the watermark in its pixels, the records that they and
the fingerprint lead to, the one among them that shows the same picture, and its place in the log.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from provenance.keys.installed_keys import keyring
from provenance.log import asset_entries
from provenance.manifests import containers, embedded_xmp, manifest_reading, other_formats
from provenance.manifests.manifest_reading import ManifestReading
from provenance.manifests.signing_context import signer
from provenance.marks import watermark
from provenance.marks.watermark import Detection
from provenance.models import Asset
from provenance.pictures import decoder
from provenance.verify import asset_lookup, disagreements, judgements, submitted_files
from provenance.verify.asset_lookup import AssetMatch, FoundAssets
from provenance.verify.verdicts import (
    Disclosure,
    FingerprintCheck,
    MarkVerdict,
    VerifyReport,
    WatermarkCheck,
)

PREVIEW_SIDE = 640


@dataclass(frozen=True, slots=True)
class _Findings:
    """What was found in a file before anything was judged."""

    reading: ManifestReading
    detection: Detection
    found: FoundAssets
    entry: asset_entries.CheckedEntry | None


@submitted_files.in_turn
def check(data: bytes, *, at: datetime) -> VerifyReport:
    """Everything that can be said about a file's origin. Nothing of it is stored.

    Raises:
        PictureUnreadable: the file is no picture that can be looked at, and has no credentials of
            a kind that can be read without.
        gate.Busy: too many others are being looked at.
    """
    try:
        picture = decoder.read(data)
    except (decoder.NotAPicture, decoder.PictureAnimated) as error:
        return _manifest_alone(data, error, at=at)
    digest = sha256(data).hexdigest()
    reading = signer().read(data, picture.mime)
    detection = watermark.detect(picture.pixels, key=keyring().watermark_key)
    found = asset_lookup.search(
        picture.pixels, asset_id=reading.asset_id, sha256=digest, detection=detection
    )
    match = found.best
    entry = asset_entries.check(match.asset) if match else None
    if entry is not None and entry.written_at is not None and _is_same_file(match, digest):
        reading = manifest_reading.as_seen(reading, entry.written_at)
    findings = _Findings(reading, detection, found, entry)
    return VerifyReport(
        sha256=digest,
        mime=picture.mime,
        width=picture.width,
        height=picture.height,
        notes=picture.notes,
        checked_at=at.astimezone(UTC).isoformat(timespec="seconds"),
        detector=f"{settings.PROOFSHEET_SYSTEM_NAME} {settings.PROOFSHEET_VERSION}",
        manifest=judgements.of_manifest(reading),
        signer=judgements.of_signer(reading),
        log=judgements.of_log(match, entry, is_same_file=_is_same_file(match, digest)),
        watermark=judgements.of_watermark(detection, found.by("watermark"), match),
        fingerprint=judgements.of_fingerprint(match),
        disclosure=_disclosure(findings),
        stated=judgements.of_generation(reading),
        metadata=embedded_xmp.said_in(data),
        disagreements=disagreements.told(reading, detection, found),
        preview=_preview(picture.pixels) if match and (match.changed or match.beside) else b"",
    )


def _manifest_alone(data: bytes, error: decoder.PictureUnreadable, *, at: datetime) -> VerifyReport:
    """What the credentials of a file say that is no still picture. Raises the error where it has
    none.
    """
    mime = other_formats.mime_of(data)
    if mime is None or not containers.manifest_stores(data, mime):
        raise error
    reading = signer().read(data, mime)
    sentence = f"Not looked for: the file is {other_formats.NAMES.get(mime, 'an animation')}, and "
    sentence += judgements.STILL_ONLY
    return VerifyReport(
        sha256=sha256(data).hexdigest(),
        mime=mime,
        width=0,
        height=0,
        notes=(),
        checked_at=at.astimezone(UTC).isoformat(timespec="seconds"),
        detector=f"{settings.PROOFSHEET_SYSTEM_NAME} {settings.PROOFSHEET_VERSION}",
        manifest=judgements.of_manifest(reading),
        signer=judgements.of_signer(reading),
        log=judgements.of_log(None, None, is_same_file=False),
        watermark=WatermarkCheck(MarkVerdict.COULD_NOT_CHECK, sentence, judgements.NOTHING),
        fingerprint=FingerprintCheck(MarkVerdict.COULD_NOT_CHECK, sentence, judgements.NOTHING),
        disclosure=None,
        stated=judgements.of_generation(reading),
        metadata=embedded_xmp.said_in(data),
    )


def _is_same_file(match: AssetMatch | None, digest: str) -> bool:
    return match is not None and match.asset.sha256 == digest


def _disclosure(findings: _Findings) -> Disclosure | None:
    """From the record when the picture is like it; otherwise from a manifest signed by us."""
    match, reading = findings.found.best, findings.reading
    is_record_sound = findings.entry is None or findings.entry.is_good
    if match is not None and match.is_same_picture and is_record_sound and _speaks(match, reading):
        return _disclosure_of(match.asset)
    if reading.state != "trusted" or reading.asset_id is None:
        return None
    return Disclosure(
        provider=reading.provider or settings.PROOFSHEET_PROVIDER,
        system=reading.claim_generator or "",
        version=reading.claim_generator_version or "",
        created_at=reading.created_at or "",
        id=reading.asset_id,
        created_or_altered="altered" if reading.is_altered else "created",
    )


def _speaks(match: AssetMatch, reading: ManifestReading) -> bool:
    """Whether a record may speak for a picture: our own sound signature over it names it, or there
    is none.
    """
    is_signed = reading.state == reading.signature == "trusted" and reading.asset_id is not None
    return not is_signed or "file" in match.led_by or "manifest" in match.led_by


def _preview(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG that fits the page."""
    height, width = pixels.shape[:2]
    shrink = min(1.0, PREVIEW_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()


def _disclosure_of(asset: Asset) -> Disclosure:
    return Disclosure(
        provider=asset.provider,
        system=asset.system_name,
        version=asset.system_version,
        created_at=asset.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        id=str(asset.id),
        created_or_altered="altered" if asset.is_altered else "created",
        is_observed=asset.is_observed,
    )
