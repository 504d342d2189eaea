"""The intake package of C2PA's conformance programme: samples of what this house signs, as it signs
now, with what a validator says of each.

The samples are drawn here, marked and signed, and written into no record or log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from provenance.assets import marking, transcode
from provenance.keys import certificates, key_folder, leaf_profile
from provenance.keys.installed_keys import has_outside_key, keyring
from provenance.manifests import definition
from provenance.manifests.definition import Parent
from provenance.manifests.signing_context import signer
from provenance.pictures.decoder import Mime

SIDE = 512
INGESTED: Mime = "image/png"


@dataclass(frozen=True, slots=True)
class Sample:
    """A signed file and its crJSON; `name` has no suffix."""

    name: str
    data: bytes
    mime: Mime

    def files(self) -> dict[str, bytes]:
        """Both by the names that they have in the package."""
        report = signer().crjson(self.data, self.mime).encode()
        suffix = definition.SUFFIXES[self.mime]
        return {f"{self.name}.{suffix}": self.data, f"{self.name}.crjson": report}


def package(*, at: datetime) -> dict[str, bytes]:
    """The package's files by name. Raises `SigningFailed`, `KeysUnusable`, `KeysMissing`."""
    files: dict[str, bytes] = {}
    for sample in _samples(at):
        files |= sample.files()
    files["certificate.txt"] = _certificate().encode()
    files["architecture.md"] = _architecture().encode()
    return files


def _samples(at: datetime) -> Iterator[Sample]:
    """One a media type that is generated, and one for each kind of file that is taken in."""
    plain = _made(INGESTED, at)
    for mime in transcode.FORMATS.values():
        yield Sample(f"generated/{mime.removeprefix('image/')}", _made(mime, at), mime)
    unsigned = Parent(marking.encode_png(_drawn()), INGESTED)
    for name, parent in (("unsigned", unsigned), ("signed", Parent(plain, INGESTED))):
        yield Sample(f"ingested/{name}-parent", _made(INGESTED, at, parent), INGESTED)


def _made(mime: Mime, at: datetime, parent: Parent | None = None) -> bytes:
    asset_id = uuid4()
    marked = marking.embed(_drawn(), asset_id=asset_id)
    system = marking.SystemInfo(
        settings.PROOFSHEET_SYSTEM_NAME, settings.PROOFSHEET_VERSION, "sample"
    )
    return marking.seal(
        marked, asset_id=asset_id, created_at=at, system=system, parent=parent, mime=mime
    ).data


def _drawn() -> NDArray[np.uint8]:
    across, down = np.meshgrid(np.linspace(40, 215, SIDE), np.linspace(40, 215, SIDE))
    return np.stack([across, down, 255 - across], -1).astype(np.uint8)


def _certificate() -> str:
    leaf = certificates.leaf_of(keyring().certificate_chain_pem)
    lines = [f"{leaf.subject.rfc4514_string()}, until {leaf.not_valid_after_utc:%Y-%m-%d}"]
    for rule in leaf_profile.rules(leaf):
        lines.append(f"{'kept' if rule.is_kept else 'MISSED'}  {rule.sentence}")
    return "\n".join(lines) + "\n"


def _place_of_key() -> str:
    """Where the key lies that signs manifests, and who may read it, as it is now."""
    if keyring().sign:
        return "behind a program (PKCS#11, a KMS)"
    folder = Path(settings.PROOFSHEET_KEYS_DIR)
    own = folder / f"{key_folder.read_plan(folder).signer}.key"
    path = Path(str(settings.PROOFSHEET_C2PA["private_key"])) if has_outside_key() else own
    kind = "an encrypted" if b"ENCRYPTED" in path.read_bytes() else "an unencrypted"
    return f"in {kind} file of mode {path.stat().st_mode & 0o777:04o}"


def _architecture() -> str:
    """What of the programme's Architecture Document is so in every house; the rest is yours."""
    generated = ", ".join(f"`{mime}`" for mime in transcode.FORMATS.values())
    timed = settings.PROOFSHEET_TSA_URL or "none is asked: TSA_URL is not set"
    return f"""# Generator product security architecture

Sections by the programme's template; what stands in [brackets] only you can say.

- 1.1 Applicant: {settings.PROOFSHEET_PROVIDER} [address, contact]
- 1.3 Content Credentials specification: {definition.SPEC_VERSION}
- 1.4 Distinguished name: see `certificate.txt` [as in the products list]
- 1.5 Product: {settings.PROOFSHEET_SYSTEM_NAME} {settings.PROOFSHEET_VERSION}: makes pictures with
  models, moderates, marks and signs them; `ARCHITECTURE.md` has rooms and processes
- 1.7 Implementation class: Backend
- 1.8 Target assurance level: 1
- 1.9 Claim generation: {generated}; validation: these, `image/avif`, `image/heic`, `video/mp4`,
  `image/gif`, `image/tiff`, `image/svg+xml`, `application/pdf`
- Signing key: {_place_of_key()}; who may use it: the render workers' and web processes'
  account [your host]
- Timestamps: {timed}
- Rotation: `docs/operate/keys.md`; each one is an entry of the transparency log
- Software bill of materials: `make sbom` [scan of it, dates of fixes]
"""
