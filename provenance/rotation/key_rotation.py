"""New keys in place of old ones, while everything that the old ones signed goes on to verify.

The manifest signer gets a fresh leaf from the same authority, so older pictures stay trusted; the
authority itself is replaced by `authorities`. The log's old key signs beside the new one for a
while, so that whoever knows only the old one has time to learn of the new one: from the log itself,
whose entry about the change both keys have signed. The entry and the switch go together, and other
processes see the switch before their next signature.
"""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from config.core.errors import ProofsheetError
from provenance.keys import certificates, key_folder
from provenance.keys.installed_keys import changing_keys, keyring
from provenance.log import transparency_log
from provenance.log.formats import checkpoint

KEY_ROTATED, KEY_REVOKED = "key.rotated", "key.revoked"
STATEMENT = "proofsheet-key-rotation/v1"
SUBJECTS = UUID("0f7a1f0e-5a0c-5d0c-8f2b-6b1f4f0f2a7d")


class AlreadyRecorded(ProofsheetError):
    """The certificate from outside is the one that the log's last entry names."""

    default_code = "key_already_recorded"
    default_message = "The signing certificate is the one that the log knows already."
    default_advice = "Put the new certificate and key where the settings say, then run this again."
    default_status = 409


@dataclass(frozen=True, slots=True)
class Rotated:
    """What took over from what; `overlap_until` is set where both sign for a while."""

    old: str
    new: str
    overlap_until: datetime | None = None


def rotate_signer(*, at: datetime, is_compromised: bool = False) -> Rotated:
    """A fresh leaf signs from now on; its key replaces the old one, which is destroyed.

    With `is_compromised` the old certificate is revoked: what it signed is no longer trusted.

    Raises:
        KeysUnusable: the authority's key is not in the folder, or the folder not writable.
    """
    with changing_keys() as (folder, plan):
        old = certificates.leaf_of((folder / f"{plan.signer}.pem").read_text())
        issuer = (folder / f"{plan.authority}.key").read_bytes()
        authority_key = serialization.load_pem_private_key(issuer, None)
        if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{plan.authority}.key is not a key on an elliptic curve")
        authority = certificates.leaf_of((folder / f"{plan.authority}.pem").read_text())
        name, leaf = write_signer(folder, authority_key, authority, at=at)
        rotated = Rotated(certificates.digest(old), certificates.digest(leaf))
        revoked = {str(old.serial_number): second(at)} if is_compromised else {}
        with transaction.atomic():
            record("signer", rotated, at=at, is_compromised=is_compromised)
            key_folder.write_plan(
                folder, replace(plan, signer=name, revoked={**plan.revoked, **revoked})
            )
        (folder / f"{plan.signer}.key").unlink()
    return rotated


def write_signer(
    folder: Path,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    *,
    at: datetime,
) -> tuple[str, x509.Certificate]:
    """A fresh leaf of the authority beside the one in use: the name of its files, and itself."""
    key, leaf = certificates.make_leaf(
        authority_key, authority, at=at, organization=settings.PROOFSHEET_PROVIDER
    )
    name = f"signer-{certificates.digest(leaf)[:12]}"
    key_folder.write(folder / f"{name}.key", certificates.private_pem(key))
    key_folder.write(folder / f"{name}.pem", certificates.public_pem(leaf))
    return name, leaf


def record_outside_signer(*, at: datetime) -> Rotated:
    """Write into the log that another certificate from outside signs manifests now.

    Raises:
        AlreadyRecorded: the log's last entry about the signer names that certificate.
    """
    new = certificates.digest(certificates.leaf_of(keyring().certificate_chain_pem))
    own = certificates.digest(certificates.leaf_of(_own_signer_pem()))
    with transaction.atomic():
        old = _last_recorded("signer") or own
        if old == new:
            raise AlreadyRecorded
        rotated = Rotated(old, new)
        record("signer", rotated, at=at)
    return rotated


def revoke(serial_number: str, *, at: datetime) -> None:
    """Rely no longer on a certificate, whoever issued it: by its serial number in decimal.

    Raises:
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    with changing_keys() as (folder, plan), transaction.atomic():
        body = {"serial_number": serial_number}
        subject = uuid5(SUBJECTS, f"certificate {serial_number}")
        transparency_log.append(kind=KEY_REVOKED, subject=subject, body=body, at=at)
        revoked = {serial_number: second(at), **plan.revoked}
        key_folder.write_plan(folder, replace(plan, revoked=revoked))


def rotate_log_key(*, at: datetime, overlap: timedelta) -> Rotated:
    """A fresh key signs the log from now on, and the old one beside it until the overlap ends.

    Raises:
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    folder, origin = Path(settings.PROOFSHEET_KEYS_DIR), settings.PROOFSHEET_LOG_ORIGIN
    keyring()  # tells of missing keys before anything is written
    new = Ed25519PrivateKey.generate()
    name = f"log-{checkpoint.key_id(origin, new.public_key()).hex()}"
    with key_folder.locked(folder):
        old = key_folder.load(folder).log_key
        rotated = Rotated(
            checkpoint.verifier_key(origin, old.public_key()),
            checkpoint.verifier_key(origin, new.public_key()),
            at + overlap,
        )
        plan = key_folder.read_plan(folder)
        newest, *older = plan.log
        retiring = {
            "name": newest["name"],
            "signs_until": second(at + overlap),
            "public": base64.b64encode(old.public_key().public_bytes_raw()).decode(),
        }
        key_folder.write(folder / f"{name}.key", certificates.private_pem(new))
        with transaction.atomic():
            record("log", rotated, at=at, statement=_statement(rotated, old, new, at=at))
            key_folder.write_plan(folder, replace(plan, log=({"name": name}, retiring, *older)))
    return rotated


def destroy_retired(*, at: datetime) -> int:
    """Delete the log's private keys whose overlap is over; returns how many there were."""
    folder = Path(settings.PROOFSHEET_KEYS_DIR)
    with key_folder.locked(folder):
        over = [
            folder / f"{said['name']}.key"
            for said in key_folder.read_plan(folder).log
            if "signs_until" in said and datetime.fromisoformat(said["signs_until"]) <= at
        ]
        left = [path for path in over if path.exists()]
        for path in left:
            path.unlink()
    return len(left)


def _statement(
    rotated: Rotated, old: Ed25519PrivateKey, new: Ed25519PrivateKey, *, at: datetime
) -> str:
    """The signed note by which the old key hands over to the new one, and the new one agrees."""
    assert rotated.overlap_until is not None
    told = {
        "at": second(at),
        "old": rotated.old,
        "new": rotated.new,
        "overlap_until": second(rotated.overlap_until),
    }
    origin = settings.PROOFSHEET_LOG_ORIGIN
    text = f"{STATEMENT}\n{json.dumps(told, sort_keys=True)}\n"
    note = checkpoint.sign_text(text, name=origin, key=old)
    return checkpoint.also_sign(note, name=origin, key=new)


def record(
    key: str,
    rotated: Rotated,
    *,
    at: datetime,
    is_compromised: bool = False,
    statement: str | None = None,
) -> None:
    """Tell the log, in the caller's transaction, what took over from what."""
    body = {"key": key, "old": rotated.old, "new": rotated.new, "compromised": is_compromised}
    told = body if statement is None else body | {"statement": statement}
    transparency_log.append(
        kind=KEY_ROTATED, subject=uuid5(SUBJECTS, f"{key} {rotated.new}"), body=told, at=at
    )


def _last_recorded(key: str) -> str | None:
    """What the log's last entry about that key names as the new one."""
    for body in transparency_log.bodies_of(KEY_ROTATED):
        if body["key"] == key:
            return str(body["new"])
    return None


def _own_signer_pem() -> str:
    folder = Path(settings.PROOFSHEET_KEYS_DIR)
    return (folder / f"{key_folder.read_plan(folder).signer}.pem").read_text()


def second(at: datetime) -> str:
    """A time as plans and the log's entries about keys give it."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
