"""Checking a file against this installation's marks: five verdicts, nothing kept.

Order of the work: the manifest in the file, the watermark in its pixels, the record that either of
them names, the likeness of the two, and the record's place in the log.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from django.conf import settings

from provenance import entries, judgements, manifest_reading, pictures, records, watermark
from provenance.installation import keyring, signer
from provenance.manifest_reading import ManifestReading
from provenance.models import Asset
from provenance.records import Match
from provenance.verdicts import Disclosure, Report
from provenance.watermark import Detection


@dataclass(frozen=True, slots=True)
class _Findings:
    """What was found in a file before anything was judged."""

    reading: ManifestReading
    detection: Detection
    match: Match | None
    entry: entries.CheckedEntry | None


def check(data: bytes, *, at: datetime) -> Report:
    """Everything that can be said about a file's origin. Nothing of it is stored.

    Raises:
        pictures.PictureUnreadable: the file is no picture that can be looked at.
    """
    picture = pictures.read(data)
    digest = sha256(data).hexdigest()
    reading = signer().read(data, picture.mime)
    detection = watermark.detect(picture.pixels, key=keyring().watermark_key)
    match = records.find(
        picture.pixels, asset_id=reading.asset_id, sha256=digest, detection=detection
    )
    entry = entries.check(match.asset) if match else None
    if entry is not None and entry.written_at is not None and _is_same_file(match, digest):
        reading = manifest_reading.as_seen(reading, entry.written_at)
    findings = _Findings(reading, detection, match, entry)
    height, width = picture.pixels.shape[:2]
    return Report(
        sha256=digest,
        mime=picture.mime,
        width=width,
        height=height,
        notes=picture.notes,
        checked_at=at.astimezone(UTC).isoformat(timespec="seconds"),
        detector=f"{settings.PROOFSHEET_SYSTEM_NAME} {settings.PROOFSHEET_VERSION}",
        manifest=judgements.of_manifest(reading),
        signer=judgements.of_signer(reading),
        log=judgements.of_log(match, entry, is_same_file=_is_same_file(match, digest)),
        watermark=judgements.of_watermark(detection, match),
        fingerprint=judgements.of_fingerprint(match),
        disclosure=_disclosure(findings),
        stated=judgements.of_generation(reading),
    )


def _is_same_file(match: Match | None, digest: str) -> bool:
    return match is not None and match.asset.sha256 == digest


def _disclosure(findings: _Findings) -> Disclosure | None:
    """From the record when the picture is like it; otherwise from a manifest signed by us."""
    match, reading = findings.match, findings.reading
    is_record_sound = findings.entry is None or findings.entry.is_good
    if match is not None and match.is_same_picture and is_record_sound:
        return _disclosure_of(match.asset)
    if reading.state != "trusted" or reading.asset_id is None:
        return None
    return Disclosure(
        provider=settings.PROOFSHEET_PROVIDER,
        system=reading.claim_generator or "",
        version=reading.claim_generator_version or "",
        created_at=reading.created_at or "",
        id=reading.asset_id,
        created_or_altered="altered" if reading.is_altered else "created",
    )


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
