"""The file format of a proof bundle: a ZIP archive with one spelling only. Pure.

Stored without compression, sorted, dated 1980: reading writes the archive anew and compares, so no
byte of it can change unnoticed.
"""

import io
import zipfile
from collections.abc import Mapping

from provenance.errors import ProofsheetError

MAX_BYTES = 64 * 2**20
IMAGE, MANIFEST, PROOF = "image.png", "manifest.c2pa", "entry.tlog-proof"
AUTHORITY, POLICY, README = "authority.pem", "policy.json", "README.txt"
REQUIRED = {MANIFEST, PROOF, AUTHORITY, POLICY, README}

EXPLANATION = """What this is

A proof that a picture was marked and written into a transparency log.

image.png          the picture with its Content Credentials (left out where only its hash is proved)
manifest.c2pa      its C2PA manifest store by itself
entry.tlog-proof   the log's entry about it, the path to the root, the signed checkpoint (C2SP)
authority.pem      the certificate authority that vouches for the manifest's signer
policy.json        the log's name and public key, and the digest of the authority

Check it without the system that made it:  python -m provenance.offline BUNDLE
Compare the log's key and the authority's digest, which that prints, with those you know from
elsewhere: a bundle alone cannot tell you whose they are.
"""


class BundleUnreadable(ProofsheetError):
    default_code = "bundle_unreadable"
    default_message = "The file is no proof bundle, or it was changed."
    default_advice = "Get the bundle again from whoever exported it."
    default_status = 422


def write(files: Mapping[str, bytes]) -> bytes:
    """The one archive of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return target.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    """The files of a bundle. Raises `BundleUnreadable` where `write` would make other bytes."""
    if len(data) > MAX_BYTES:
        raise BundleUnreadable(message="The file is larger than any proof bundle.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > len(data):
                raise BundleUnreadable
            files = {member.filename: archive.read(member) for member in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise BundleUnreadable from error
    if not set(files) >= REQUIRED or set(files) - REQUIRED - {IMAGE} or write(files) != data:
        raise BundleUnreadable
    return files
