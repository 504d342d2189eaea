"""The file format of a proof bundle: a ZIP archive with one spelling only. Pure.

Stored without compression, sorted, dated 1980: reading writes the archive anew and compares, so no
byte of it can change unnoticed.
"""

import io
import struct
import zipfile
from collections.abc import Mapping
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.core.errors import ProofsheetError
from provenance.keys.certificates import UNREADABLE
from provenance.pictures.decoder import Mime

MAX_BYTES = 64 * 2**20
MANIFEST, PROOF = "manifest.c2pa", "entry.tlog-proof"
IMAGES: dict[Mime, str] = {
    "image/png": "image.png",
    "image/jpeg": "image.jpg",
    "image/webp": "image.webp",
}
AUTHORITY, POLICY, README = "authority.pem", "policy.json", "README.txt"
TIMESTAMP, TIMESTAMP_AUTHORITY = "checkpoint.tst", "timestamp-authority.pem"
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    struct.error,
)
"""What Python's zipfile raises for archives that are not what they claim."""
REQUIRED = {MANIFEST, PROOF, AUTHORITY, POLICY, README}
OPTIONAL = {*IMAGES.values(), TIMESTAMP, TIMESTAMP_AUTHORITY}

EXPLANATION = """What this is

A proof that a picture was marked and written into a transparency log.

image.png, .jpg, .webp   the picture with its Content Credentials (left out where only its hash is
                         proved)
manifest.c2pa            its C2PA manifest store by itself
entry.tlog-proof         the log's entry about it, the path to the root, the signed checkpoint
                         (C2SP tlog-proof), with the cosignatures of witnesses
authority.pem            the certificate authority that vouches for the manifest's signer
checkpoint.tst           a timestamp of the checkpoint (RFC 3161), where there is one
timestamp-authority.pem  the certificate authority that vouches for the timestamp
policy.json              the log's name and public key, the witnesses' keys, and the digests of the
                         authorities and of the timestamp

Check it without the system that made it:  python -m provenance.offline BUNDLE
Compare the keys and the authorities' digests, which that prints, with those you know from
elsewhere: a bundle alone cannot tell you whose they are.
"""


class BundleUnreadable(ProofsheetError):
    """A file that is not byte for byte what a bundle of its parts would be."""

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
            is_stored = all(member.compress_type == zipfile.ZIP_STORED for member in members)
            if not is_stored or sum(member.file_size for member in members) > len(data):
                raise BundleUnreadable
            files = {member.filename: archive.read(member) for member in members}
    except _BROKEN as error:
        raise BundleUnreadable from error
    is_complete = set(files) >= REQUIRED and not set(files) - REQUIRED - OPTIONAL
    has_both = (TIMESTAMP in files) == (TIMESTAMP_AUTHORITY in files)
    has_both = has_both and len(files.keys() & {*IMAGES.values()}) < 2
    if not is_complete or not has_both or write(files) != data:
        raise BundleUnreadable
    return files


def image_in(files: Mapping[str, bytes]) -> bytes | None:
    """The picture of a bundle, in whatever format; None where only its hash is proved."""
    return next((files[name] for name in IMAGES.values() if name in files), None)


def digest_of_pem(pem: bytes) -> str:
    """SHA-256 over the DER of one or more certificates, hexadecimal.

    Raises `BundleUnreadable` where the PEM is not in its one plain spelling.
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
    except UNREADABLE as error:
        raise BundleUnreadable(message="A certificate of the bundle cannot be read.") from error
    if b"".join(each.public_bytes(Encoding.PEM) for each in found) != pem:
        raise BundleUnreadable(message="A certificate of the bundle is written in an unusual way.")
    return sha256(b"".join(each.public_bytes(Encoding.DER) for each in found)).hexdigest()


def digests_of_timestamp(files: Mapping[str, bytes]) -> dict[str, str] | None:
    """What the policy says about the timestamp among these files; None where there is none."""
    if TIMESTAMP not in files:
        return None
    return {
        "token_sha256": sha256(files[TIMESTAMP]).hexdigest(),
        "authority_sha256": digest_of_pem(files[TIMESTAMP_AUTHORITY]),
    }
