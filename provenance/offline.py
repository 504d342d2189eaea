"""Checking a proof bundle without the system that made it: no Django, no database, no network.

    python -m provenance.offline BUNDLE [--image FILE] [--log-key KEY] [--authority SHA256]

Exit 0 when everything holds, 1 when something does not, 2 when the file is no bundle.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provenance import bundle, canonical, checkpoint, manifests, merkle, tlog_proof
from provenance.bundle import BundleUnreadable
from provenance.errors import ProofsheetError


class BundleInvalid(ProofsheetError):
    default_code = "bundle_invalid"
    default_message = "The bundle does not hold."
    default_advice = "Do not rely on it."
    default_status = 422


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the reader knows from elsewhere; None where they take the bundle's word."""

    log_key: str | None = None
    authority_sha256: str | None = None


def verify(data: bytes, *, image: bytes | None = None, trusted: Trusted) -> list[str]:
    """One sentence for each thing that holds. Raises a `ProofsheetError` at the first that does
    not.
    """
    files = bundle.read(data)
    return list(_checks(files, files.get(bundle.IMAGE, image), trusted))


def _checks(files: dict[str, bytes], image: bytes | None, trusted: Trusted) -> Iterator[str]:
    _require(files[bundle.README] == bundle.EXPLANATION.encode(), "The README was changed.")
    policy = _policy(files, trusted)
    yield f"The authority's SHA-256 is {policy['authority_sha256']}."
    proof = tlog_proof.read(_text(files[bundle.PROOF]))
    origin, key = checkpoint.parse_verifier_key(policy["log_key"])
    head = checkpoint.verify(proof.note, origin=origin, key=key)
    yield f"The checkpoint of {head.tree_size} entries is signed by {policy['log_key']}."
    leaf = merkle.leaf_hash(proof.body)
    merkle.verify_inclusion(leaf, proof.index, head.tree_size, proof.path, head.root_hash)
    yield f"Entry {proof.index} is in that tree."
    entry = canonical.decode(proof.body)
    told = entry["body"]
    _require(
        sha256(files[bundle.MANIFEST]).hexdigest() == told["manifest_sha256"],
        "The manifest is not the one that the entry is about.",
    )
    yield f"The entry of {entry['at']} is about this manifest, and asset {entry['subject']}."
    if image is None:
        yield f"No picture is here; the entry is about the one with SHA-256 {told['sha256']}."
        return
    _require(sha256(image).hexdigest() == told["sha256"], "The entry is about another picture.")
    yield "The entry is about this very picture."
    authority = _text(files[bundle.AUTHORITY])
    reading = manifests.Reader(authority).read(image, "image/png")
    is_about_it = reading.state == "trusted" and reading.asset_id == entry["subject"]
    _require(is_about_it, f"The picture's Content Credentials read as {reading.state}.")
    yield f"Its Content Credentials are signed by “{reading.signer}”, under that authority."


def _policy(files: dict[str, bytes], trusted: Trusted) -> dict[str, Any]:
    policy: dict[str, Any] = canonical.decode(files[bundle.POLICY])
    is_whole = isinstance(policy, dict) and set(policy) == {"v", "log_key", "authority_sha256"}
    _require(
        is_whole and policy["v"] == 1 and isinstance(policy["log_key"], str),
        "The policy cannot be read.",
    )
    try:
        authority = x509.load_pem_x509_certificate(files[bundle.AUTHORITY])
    except (ValueError, x509.InvalidVersion) as error:
        raise BundleInvalid(message="The authority's certificate cannot be read.") from error
    der = authority.public_bytes(Encoding.DER)
    is_plain = authority.public_bytes(Encoding.PEM) == files[bundle.AUTHORITY]
    is_named = is_plain and sha256(der).hexdigest() == policy["authority_sha256"]
    _require(is_named, "The authority is not the one of the policy.")
    for name, known in (
        ("log_key", trusted.log_key),
        ("authority_sha256", trusted.authority_sha256),
    ):
        _require(known in (None, policy[name]), f"The bundle's {name} is not the one you trust.")
    return policy


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BundleUnreadable from error


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise BundleInvalid(message=sentence)


def main() -> int:
    parser = argparse.ArgumentParser(prog="provenance.offline", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--image", type=Path, help="the picture, where only its hash is in")
    parser.add_argument("--log-key", help="the log's public key that you trust")
    parser.add_argument("--authority", help="SHA-256 of the authority that you trust")
    chosen = parser.parse_args()
    try:
        image = chosen.image.read_bytes() if chosen.image else None
        trusted = Trusted(chosen.log_key, chosen.authority)
        for sentence in verify(chosen.bundle.read_bytes(), image=image, trusted=trusted):
            print(sentence)
    except (BundleUnreadable, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except ProofsheetError as error:
        print(f"It does not hold: {error.message}", file=sys.stderr)
        return 1
    print("Everything holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
