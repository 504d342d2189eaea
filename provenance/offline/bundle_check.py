"""Checking a proof bundle without the system that made it: no Django, no database, no network.

    python -m provenance.offline BUNDLE [--image FILE] [--log-key KEY] [--authority SHA256]
                                 [--witness KEY] [--revoked SERIAL] [--distrusted SHA256=TIME]

Exit 0 when everything holds and you named the log that vouches for it (--log-key), 1 when something
does not hold, 2 when the file is no bundle or the command line is not right, 3 when all of it
holds, but only by the word of whoever made the bundle: anybody can make a log and an authority of
their own, and a bundle that agrees with both. The keys of a house's log are at its address
/log/keys; take them from somewhere else than the bundle.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509

from config.core.errors import ProofsheetError
from provenance.keys import certificates
from provenance.log.formats import canonical_json, checkpoint, merkle, proof_file, timestamp_token
from provenance.manifests import content_credentials
from provenance.manifests.manifest_reading import ManifestReading
from provenance.offline import bundle_format, command_line
from provenance.offline.bundle_format import BundleUnreadable
from provenance.pictures import decoder

CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the log's clock may be ahead of a witness's or a timestamping authority's."""
HOLDS, DOES_NOT_HOLD, NO_BUNDLE, BY_ITS_OWN_WORD = 0, 1, 2, 3
_POLICY = {"v", "log_key", "authority_sha256", "witnesses", "timestamp"}


class BundleInvalid(ProofsheetError):
    """Something in a well-formed bundle does not hold."""

    default_code = "bundle_invalid"
    default_message = "The bundle does not hold."
    default_advice = "Do not rely on it."
    default_status = 422


class SignerUnknown(BundleInvalid):
    """The bundle's authority does not vouch for who signed."""

    default_code = "signer_unknown"


class SignerExpired(BundleInvalid):
    """The signer's certificate was not valid when the picture was signed."""

    default_code = "signer_expired"


class SignerRevoked(BundleInvalid):
    """The reader knows the signer's certificate as revoked."""

    default_code = "signer_revoked"


class SignersAuthorityDistrusted(BundleInvalid):
    """The reader distrusts the authority, and no log that they know is older than that."""

    default_code = "authority_distrusted"


class ClockWrong(BundleInvalid):
    """An entry cannot be younger than the tree that somebody saw it in."""

    default_code = "clock_wrong"


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the reader knows from elsewhere; None or nothing where they take the bundle's word.

    The bundle's authority must be one of `authorities`, the present one or an earlier one. Each of
    `witnesses` must have cosigned. `revoked` are serial numbers of certificates; `distrusted` are
    authorities, by SHA-256, that count only for what a log was told before the time given, and only
    where `log_key` says which log.
    """

    log_key: str | None = None
    authorities: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    distrusted: tuple[tuple[str, datetime], ...] = ()


def verify(data: bytes, *, image: bytes | None = None, trusted: Trusted) -> list[str]:
    """One sentence for each thing that holds. Raises a `ProofsheetError` at the first that does
    not.
    """
    files = bundle_format.read(data)
    inside = bundle_format.image_in(files)
    is_one = None in (inside, image) or inside == image
    _require(is_one, "The picture that you named is not the one in the bundle.")
    return list(_checks(files, inside or image, trusted))


def whose_word(trusted: Trusted) -> str:
    """What of a bundle that holds rests on nothing that the reader knew; empty where nothing does.

    A known log is enough: its entry names the manifest, and the manifest its authority.
    """
    if trusted.log_key is not None:
        return ""
    if trusted.authorities:
        return (
            "By an authority that you know. That the log is whose it says, and what it says of the "
            "time, is the word of whoever made the bundle: you named no --log-key."
        )
    return (
        "All of it agrees with itself, but whose log and whose authority that is, is the word of "
        "whoever made the bundle: you named no --log-key and no --authority."
    )


def _checks(files: Mapping[str, bytes], image: bytes | None, trusted: Trusted) -> Iterator[str]:
    _require(
        files[bundle_format.README] == bundle_format.EXPLANATION.encode(), "The README was changed."
    )
    policy = _policy(files, trusted)
    yield f"The authority's SHA-256 is {policy['authority_sha256']}."
    proof = proof_file.read(_text(files[bundle_format.PROOF]))
    origin, key = checkpoint.parse_verifier_key(policy["log_key"])
    head = checkpoint.verify(proof.note, origin=origin, key=key)
    yield f"The checkpoint of {head.tree_size} entries is signed by {policy['log_key']}."
    leaf = merkle.leaf_hash(proof.body)
    merkle.verify_inclusion(leaf, proof.index, head.tree_size, proof.path, head.root_hash)
    yield f"Entry {proof.index} is in that tree."
    entry, written_at = _entry(proof.body)
    yield from _seen(proof.note, policy["witnesses"], written_at)
    yield from _dated(files, proof.note, written_at)
    _check_authority(files[bundle_format.AUTHORITY], written_at, trusted)
    told = entry["body"]
    _require(
        sha256(files[bundle_format.MANIFEST]).hexdigest() == told["manifest_sha256"],
        "The manifest is not the one that the entry is about.",
    )
    yield f"The entry of {entry['at']} is about this manifest, and asset {entry['subject']}."
    if image is None:
        yield f"No picture is here; the entry is about the one with SHA-256 {told['sha256']}."
        return
    _require(sha256(image).hexdigest() == told["sha256"], "The entry is about another picture.")
    yield "The entry is about this very picture."
    reading = _reader(files, trusted).read(image, decoder.mime_of(image))
    _check_signer(reading)
    _require(reading.asset_id == entry["subject"], "The credentials name another asset.")
    yield f"Its Content Credentials are signed by “{reading.signer}”, under that authority."


def _check_authority(pem: bytes, written_at: datetime, trusted: Trusted) -> None:
    """The signer's authority is trusted, or a log that the reader knows is older than its distrust.

    Whoever has the authority's key makes a log and a bundle of their own, with any time in them.
    """
    given = {certificates.digest(each) for each in x509.load_pem_x509_certificates(pem)}
    times = [since for sha256_of_it, since in trusted.distrusted if sha256_of_it in given]
    if not times:
        return
    since = min(times)
    if trusted.log_key is None:
        raise SignersAuthorityDistrusted(
            message="The authority is distrusted, and only the log shows what was there before.",
            advice="Give the log's key that you know from elsewhere: --log-key.",
        )
    if written_at >= since:
        raise SignersAuthorityDistrusted(
            message=f"The authority is distrusted since {since:%Y-%m-%d %H:%M} UTC, and the entry "
            f"is of {written_at:%Y-%m-%d %H:%M} UTC."
        )


def _entry(body: bytes) -> tuple[dict[str, Any], datetime]:
    """What the log says, and when it says that it was written."""
    entry = canonical_json.decode(body)
    try:
        told, written_at = entry["body"], datetime.fromisoformat(entry["at"])
        is_whole = all(isinstance(told[name], str) for name in ("sha256", "manifest_sha256"))
        _require(
            is_whole and isinstance(entry["subject"], str), "The entry is not about a picture."
        )
        return entry, written_at.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BundleInvalid(message="The entry is not about a picture.") from error


def _seen(note: str, witnesses: list[str], written_at: datetime) -> Iterator[str]:
    """Every signature of the note is the log's or a named witness's: no line goes unread."""
    count = checkpoint.count_lines(note)
    _require(count == 1 + len(set(witnesses)), "The checkpoint bears a signature of a stranger.")
    for text in witnesses:
        name, key = checkpoint.parse_witness_key(text)
        unix_time = checkpoint.cosigned_at(note, name=name, key=key)
        try:
            at = datetime.fromtimestamp(unix_time, UTC)
        except (OverflowError, OSError, ValueError) as error:
            raise ClockWrong(message=f"{name} tells a time that there is not.") from error
        _check_clock(written_at, at, f"the witness {name}")
        yield f"The witness {text} saw that tree at {at:%Y-%m-%d %H:%M:%S} UTC."


def _dated(files: Mapping[str, bytes], note: str, written_at: datetime) -> Iterator[str]:
    if bundle_format.TIMESTAMP not in files:
        return
    message = checkpoint.parse(note).text().encode()
    anchors = _text(files[bundle_format.TIMESTAMP_AUTHORITY])
    found = timestamp_token.verify(files[bundle_format.TIMESTAMP], message, anchors_pem=anchors)
    _check_clock(written_at, found.at, f"the timestamp by {found.authority}")
    yield f"That tree was there at {found.at:%Y-%m-%d %H:%M:%S} UTC, says {found.authority}."


def _check_clock(written_at: datetime, seen_at: datetime, by: str) -> None:
    if written_at > seen_at + CLOCKS_DIFFER:
        raise ClockWrong(
            message=f"The entry says that it was written at {written_at:%Y-%m-%d %H:%M} UTC, but "
            f"{by} saw it at {seen_at:%Y-%m-%d %H:%M} UTC: one of the clocks is wrong."
        )


def _reader(files: Mapping[str, bytes], trusted: Trusted) -> content_credentials.Reader:
    anchors = files.get(bundle_format.TIMESTAMP_AUTHORITY, b"")
    revoked = tuple((serial, "the day that you know of") for serial in trusted.revoked)
    trust = content_credentials.Trust(
        _text(files[bundle_format.AUTHORITY]), _text(anchors), revoked
    )
    return content_credentials.Reader(trust)


def _check_signer(reading: ManifestReading) -> None:
    name = reading.signer or "a signer without a name"
    match reading.signature:
        case "revoked":
            raise SignerRevoked(message=f"The certificate of “{name}” was revoked.")
        case "expired":
            raise SignerExpired(
                message=f"The certificate of “{name}” was not valid at the time of the signature."
            )
        case "unknown":
            raise SignerUnknown(message=f"The authority does not vouch for “{name}”.")
        case "none" | "unread" | "invalid" | "listed" | "distrusted":
            raise BundleInvalid(message="The signature of the Content Credentials does not hold.")
        case "trusted":
            # A parent's signer may be one of an authority of earlier, which this bundle lacks.
            _require(
                reading.is_sound, f"The picture's Content Credentials read as {reading.state}."
            )


def _policy(files: Mapping[str, bytes], trusted: Trusted) -> dict[str, Any]:
    policy: dict[str, Any] = canonical_json.decode(files[bundle_format.POLICY])
    is_whole = (
        isinstance(policy, dict)
        and set(policy) == _POLICY
        and policy["v"] == 1
        and isinstance(policy["log_key"], str)
        and isinstance(policy["witnesses"], list)
        and all(isinstance(text, str) for text in policy["witnesses"])
    )
    _require(is_whole, "The policy cannot be read.")
    digest = bundle_format.digest_of_pem(files[bundle_format.AUTHORITY])
    _require(digest == policy["authority_sha256"], "The authority is not the one of the policy.")
    is_dated_so = bundle_format.digests_of_timestamp(files) == policy["timestamp"]
    _require(is_dated_so, "The timestamp is not the one of the policy.")
    is_known = trusted.log_key in (None, policy["log_key"])
    _require(is_known, "The bundle's log_key is not the one you trust.")
    is_known = not trusted.authorities or digest in trusted.authorities
    _require(is_known, "The bundle's authority_sha256 is not the one you trust.")
    for text in trusted.witnesses:
        _require(text in policy["witnesses"], f"No cosignature by {text} is in the bundle.")
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
    """Check the bundle that the command line names, and print what holds; the exit status."""
    chosen = command_line.parser(__doc__ or "").parse_args()
    try:
        image = chosen.image.read_bytes() if chosen.image else None
        revoked = tuple(serial for each in chosen.revoked for serial in each)
        trusted = Trusted(
            chosen.log_key,
            tuple(chosen.authority),
            tuple(chosen.witness),
            revoked,
            tuple(chosen.distrusted),
        )
        for sentence in verify(chosen.bundle.read_bytes(), image=image, trusted=trusted):
            print(sentence)
    except OSError as error:
        print(f"{error.filename} cannot be read: {error.strerror}.", file=sys.stderr)
        return NO_BUNDLE
    except BundleUnreadable as error:
        print(error, file=sys.stderr)
        return NO_BUNDLE
    except ProofsheetError as error:
        print(f"It does not hold: {error.message}", file=sys.stderr)
        return DOES_NOT_HOLD
    if word := whose_word(trusted):
        print(word)
        return BY_ITS_OWN_WORD
    print("Everything holds.")
    return HOLDS
