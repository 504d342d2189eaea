#!/usr/bin/env python3
"""Checks a proof bundle with Python 3.10 or later alone: this one file, no packages, no network.

    python provenance_offline.py BUNDLE [--image FILE] [--log-key KEY] [--witness KEY]

It checks that the bundle is whole, that the log and every witness in it signed the tree, that the
entry is in that tree, and that it is about this manifest and this very picture. A log whose key you
know from elsewhere (--log-key, a line of the house's /log/keys) vouches for both by that. It does
not read certificates, timestamps or the signature inside the Content Credentials:
`python -m provenance.offline`, which needs the house's code, does, and knows --revoked and
--distrusted.

Exit 0 when all of this holds and you named the log, 1 when something does not hold, 2 when the file
is no bundle or the command line is not right, 3 when it holds by the bundle's own word alone.

Written a second time from the specifications (RFC 6962, RFC 8032, C2SP), so that two readers have
to agree; nothing here is shared with the house.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import struct
import sys
import zipfile
from datetime import datetime, timezone
from typing import Any

HOLDS, DOES_NOT_HOLD, NO_BUNDLE, BY_ITS_OWN_WORD = 0, 1, 2, 3
README_SHA256 = "34f4f1db97e5423a5223ef13bec5b927139378aba720d515c92700a9a4679b1b"
MAX_BYTES = 64 * 2**20
CLOCKS_DIFFER_S = 300
REQUIRED = {"manifest.c2pa", "entry.tlog-proof", "authority.pem", "policy.json", "README.txt"}
IMAGES = {"image.png", "image.jpg", "image.webp"}
DATED = {"checkpoint.tst", "timestamp-authority.pem"}
LOG, WITNESS = b"\x01", b"\x04"
BROKEN = (
    zipfile.BadZipFile,
    struct.error,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
)

# Ed25519 (RFC 8032): the field, the order of the base point, the curve's constant.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


class NotABundle(Exception):
    """The file is not byte for byte what a bundle of its parts would be."""


class Broken(Exception):
    """Something of a well-formed bundle does not hold."""


def require(holds: bool, sentence: str) -> None:
    """Raises `Broken`."""
    if not holds:
        raise Broken(sentence)


def decoded(text: str, length: int | None = None) -> bytes:
    """Base64 in its one spelling. Raises `Broken`."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Broken("Something that should be Base64 is not.") from None
    require(base64.b64encode(data).decode() == text, "Base64 is written in an unusual way.")
    require(length is None or len(data) == length, "Something is longer or shorter than it can be.")
    return data


def point(encoded: bytes) -> tuple[int, int, int, int] | None:
    """A point of the curve in extended coordinates; None where there is none."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def added(
    one: tuple[int, int, int, int], two: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """The sum of two points."""
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, of: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A multiple of a point."""
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = added(found, of)
        of, number = added(of, of), number >> 1
    return found


BASE = point(bytes([0x58]) + bytes([0x66]) * 31)


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 key made a signature of a message (RFC 8032, 5.1.7)."""
    public = point(key) if len(key) == 32 else None
    if public is None or BASE is None or len(signature) != 64:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if scalar >= ORDER:
        return False
    hashed = hashlib.sha512(signature[:32] + key + message).digest()
    minus = (P - public[0], public[1], 1, P - public[3])
    found = added(times(scalar, BASE), times(int.from_bytes(hashed, "little") % ORDER, minus))
    inverse = pow(found[2], P - 2, P)
    x, y = found[0] * inverse % P, found[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def key_of(text: str, kind: bytes) -> tuple[str, bytes, bytes]:
    """Name, four bytes that name it, and key of `name+hash+base64`. Raises `Broken`."""
    parts = text.strip().split("+", 2)
    require(len(parts) == 3, "A key cannot be read.")
    name, said, encoded = parts
    blob = decoded(encoded, 33)
    require(blob[:1] == kind, "A key is of another kind.")
    named = hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]
    require(named.hex() == said, "A key does not match its own hash.")
    return name, named, blob[1:]


def files_of(data: bytes) -> dict[str, bytes]:
    """The files of a bundle. Raises `NotABundle` where writing them would make other bytes."""
    if len(data) > MAX_BYTES:
        raise NotABundle("The file is larger than any proof bundle.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            is_stored = all(each.compress_type == zipfile.ZIP_STORED for each in members)
            if not is_stored or sum(each.file_size for each in members) > len(data):
                raise NotABundle("The file is no proof bundle.")
            files = {each.filename: archive.read(each) for each in members}
    except BROKEN as error:
        raise NotABundle(f"The file is no proof bundle: {error}") from None
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name)
            member.create_system = 3
            archive.writestr(member, files[name])
    is_complete = REQUIRED <= set(files) <= REQUIRED | IMAGES | DATED
    has_both = len(DATED & set(files)) in (0, 2)
    has_both = has_both and len(IMAGES & set(files)) < 2
    if not is_complete or not has_both or written.getvalue() != data:
        raise NotABundle("The file is no proof bundle, or it was changed.")
    return files


def canonical(data: bytes) -> dict[str, Any]:
    """A JSON object in its one spelling. Raises `Broken`."""
    try:
        value: dict[str, Any] = json.loads(data)
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        is_same = text.encode() == data and isinstance(value, dict)
    except (ValueError, RecursionError):
        is_same = False
    require(is_same, "Something that should be canonical JSON is not.")
    return value


def certificates_digest(pem: bytes) -> str:
    """SHA-256 over the DER of certificates in the plain spelling of PEM. Raises `Broken`."""
    begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
    found = re.findall(f"{begin}([A-Za-z0-9+/=\n]+){end}", pem.decode("latin-1"))
    ders = [decoded(text.replace("\n", "")) for text in found]
    plain = ""
    for der in ders:
        text = base64.b64encode(der).decode()
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        plain += begin + "".join(f"{line}\n" for line in lines) + end
    require(bool(ders) and plain.encode() == pem, "A certificate is written in an unusual way.")
    return hashlib.sha256(b"".join(ders)).hexdigest()


def policy_of(files: dict[str, bytes]) -> dict[str, Any]:
    """What the bundle says of keys, whose digests fit its files. Raises `Broken`."""
    policy = canonical(files["policy.json"])
    names = {"v", "log_key", "authority_sha256", "witnesses", "timestamp"}
    require(set(policy) == names and policy["v"] == 1, "The policy cannot be read.")
    is_text = isinstance(policy["log_key"], str) and isinstance(policy["witnesses"], list)
    is_text = is_text and all(isinstance(each, str) for each in policy["witnesses"])
    require(is_text, "The policy cannot be read.")
    digest = certificates_digest(files["authority.pem"])
    require(digest == policy["authority_sha256"], "The authority is not the one of the policy.")
    dated = None
    if "checkpoint.tst" in files:
        dated = {
            "token_sha256": hashlib.sha256(files["checkpoint.tst"]).hexdigest(),
            "authority_sha256": certificates_digest(files["timestamp-authority.pem"]),
        }
    require(dated == policy["timestamp"], "The timestamp is not the one of the policy.")
    digest = hashlib.sha256(files["README.txt"]).hexdigest()
    require(digest == README_SHA256, "The README was changed.")
    return policy


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an audit path leads to (RFC 6962, 2.1.1), from the leaf upwards."""
    require(0 <= index < size, "The tree has no such entry.")
    turns = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        turns.append(index < middle)
        start, end = (start, middle) if index < middle else (middle, end)
    require(len(turns) == len(path), "The proof is longer or shorter than it can be.")
    digest = leaf
    for is_left, sibling in zip(reversed(turns), path, strict=True):
        pair = digest + sibling if is_left else sibling + digest
        digest = hashlib.sha256(b"\x01" + pair).digest()
    return digest


def proof_of(data: bytes) -> tuple[bytes, int, list[bytes], str]:
    """The entry, its index, the path and the signed note of a tlog-proof. Raises `Broken`."""
    try:
        head, separator, note = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Broken("The proof is no text.") from None
    lines = head.split("\n")
    is_proof = bool(separator) and 3 <= len(lines) <= 67
    is_proof = is_proof and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1][:6] == "extra "
    require(is_proof, "The proof is no tlog-proof.")
    index = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[2])
    require(index is not None, "The proof is no tlog-proof.")
    return decoded(lines[1][6:]), int(lines[2][6:]), [decoded(line, 32) for line in lines[3:]], note


def tree_of(note: str) -> tuple[str, list[tuple[str, bytes]], str, int, bytes]:
    """Text, signatures, origin, size and root of a checkpoint. Raises `Broken`."""
    text, separator, signatures = note.rpartition("\n\n")
    is_note = bool(separator) and note.endswith("\n")
    require(is_note and not re.search(r"[\x00-\x09\x0b-\x1f]", note), "The checkpoint is no note.")
    text += "\n"
    lines = text.split("\n")[:-1]
    is_tree = len(lines) >= 3 and bool(lines[0]) and "" not in lines
    is_tree = is_tree and re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]) is not None
    require(is_tree, "The checkpoint cannot be read.")
    signed = []
    for line in signatures[:-1].split("\n"):
        matched = re.fullmatch("\u2014 (\\S+) (\\S+)", line)
        require(matched is not None, "A signature of the checkpoint cannot be read.")
        _, name, blob = line.split(" ")
        signed.append((name, decoded(blob)))
    return text, signed, lines[0], int(lines[1]), decoded(lines[2], 32)


def moment(unix_time: float) -> str:
    """A time as people read it. Raises `Broken` where it is none."""
    try:
        at = datetime.fromtimestamp(unix_time, timezone.utc)  # noqa: UP017 - not in Python 3.10
    except (OverflowError, OSError, ValueError):
        raise Broken("A witness tells a time that there is not.") from None
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def unix_time_of(text: str) -> float:
    """Of an ISO 8601 time; Python 3.10 knows no Z. Raises `ValueError`, `OverflowError`."""
    return datetime.fromisoformat(re.sub("Z$", "+00:00", text)).timestamp()


def check_signatures(note: str, policy: dict[str, Any], written_at: float) -> list[str]:
    """Every signature of the note is the log's or a named witness's. Raises `Broken`."""
    text, signed, origin, _, _ = tree_of(note)
    name, named, key = key_of(policy["log_key"], LOG)
    require(name == origin, "The checkpoint is from another log.")
    require(len(signed) == 1 + len(set(policy["witnesses"])), "A stranger signed the checkpoint.")
    ours = [blob[4:] for who, blob in signed if who == name and blob[:4] == named]
    is_ours = any(is_signed(key, text.encode(), each) for each in ours)
    require(is_ours, "The checkpoint is not signed by the log.")
    told = [f"The checkpoint is signed by {policy['log_key']}."]
    for witness in policy["witnesses"]:
        name, named, key = key_of(witness, WITNESS)
        blobs = [blob for who, blob in signed if who == name and blob[:4] == named]
        seen = [
            int.from_bytes(blob[4:12], "big")
            for blob in blobs
            if is_signed(
                key,
                f"cosignature/v1\ntime {int.from_bytes(blob[4:12], 'big')}\n{text}".encode(),
                blob[12:],
            )
        ]
        require(bool(seen), f"There is no valid cosignature by {witness}.")
        require(
            written_at <= seen[0] + CLOCKS_DIFFER_S, f"The clock of {name} or the log is wrong."
        )
        told.append(f"The witness {witness} saw that tree at {moment(seen[0])}.")
    return told


def verify(
    data: bytes,
    image: bytes | None = None,
    log_key: str | None = None,
    witnesses: tuple[str, ...] = (),
) -> list[str]:
    """A sentence for each thing that holds. Raises `NotABundle` or `Broken`."""
    files = files_of(data)
    policy = policy_of(files)
    require(log_key in (None, policy["log_key"]), "The log is not the one whose key you named.")
    for witness in witnesses:
        require(witness in policy["witnesses"], f"No cosignature by {witness} is in the bundle.")
    body, index, path, note = proof_of(files["entry.tlog-proof"])
    _, _, _, size, root = tree_of(note)
    entry = canonical(body)
    try:
        about, written_at = entry["body"], unix_time_of(entry["at"])
        named = about["manifest_sha256"], about["sha256"]
        subject = entry["subject"]
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise Broken("The entry is not about a picture.") from None
    told = check_signatures(note, policy, written_at)
    leaf = hashlib.sha256(b"\x00" + body).digest()
    require(root_of(leaf, index, size, path) == root, "The proof does not lead to the signed root.")
    told.append(f"Entry {index} is in that tree of {size} entries.")
    digest = hashlib.sha256(files["manifest.c2pa"]).hexdigest()
    require(digest == named[0], "The manifest is not the one that the entry is about.")
    told.append(f"The entry of {entry['at']} is about this manifest, and asset {subject}.")
    pictures = [files[name] for name in IMAGES & set(files)]
    pictures += [] if image is None else [image]
    if not pictures:
        return [*told, f"No picture is here; the entry is about the one with SHA-256 {named[1]}."]
    is_it = {hashlib.sha256(each).hexdigest() for each in pictures} == {named[1]}
    require(is_it, "The entry is about another picture.")
    return [*told, "The entry is about this very picture."]


def main() -> int:
    """Check the bundle that the command line names, and print what holds; the exit status."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("bundle")
    made.add_argument("--image", help="the picture that you have, also where the bundle holds one")
    made.add_argument("--log-key", help="the log's public key that you trust")
    made.add_argument("--witness", action="append", default=[], help="must have cosigned")
    chosen = made.parse_args()
    log_key = chosen.log_key.strip() if chosen.log_key else None
    try:
        data, image = read(chosen.bundle), read(chosen.image) if chosen.image else None
        print("\n".join(verify(data, image, log_key, tuple(chosen.witness))))
    except (OSError, NotABundle) as error:
        print(error, file=sys.stderr)
        return NO_BUNDLE
    except Broken as error:
        print(f"It does not hold: {error}", file=sys.stderr)
        return DOES_NOT_HOLD
    print("Not checked here: certificates, timestamps, the signature in the Content Credentials.")
    if log_key is None:
        print("Whose log that is, is the word of whoever made the bundle: you named no --log-key.")
        return BY_ITS_OWN_WORD
    print("All of that holds.")
    return HOLDS


def read(name: str) -> bytes:
    """The bytes of a file."""
    with open(name, "rb") as file:
        return file.read()


if __name__ == "__main__":
    sys.exit(main())
