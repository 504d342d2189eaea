"""Another authority in place of the installation's own, and what an old one is still worth.

A new authority issues a signer at once. The old one stays an anchor, so what it vouched for stays
trusted, until it is retired (nobody vouches for its signers any more) or distrusted from a time on:
then it counts only for what the log or a trusted timestamp shows to have been there before. Each of
these goes into the log together with the switch.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid5

from django.db import transaction

from config.core.errors import ProofsheetError
from provenance.keys import certificates, key_folder
from provenance.keys.installed_keys import changing_keys, has_outside_key
from provenance.log import transparency_log
from provenance.rotation import key_rotation
from provenance.rotation.key_rotation import Rotated

KEY_RETIRED = "key.retired"
DISTRUSTED = "distrusted_since"


class AuthorityUnknown(ProofsheetError):
    """No authority of this installation, present or earlier, has that digest."""

    default_code = "authority_unknown"
    default_message = "No authority of this installation has that SHA-256."
    default_advice = "Copy it from the log's entry about the rotation."
    default_status = 404


class AuthorityInUse(ProofsheetError):
    """The newest authority can be neither retired nor distrusted."""

    default_code = "authority_in_use"
    default_message = "That authority issues the certificates that sign now."
    default_advice = (
        "Replace it first: rotate_keys --authority, with --compromised if its key leaked."
    )
    default_status = 409


class AuthorityDistrusted(ProofsheetError):
    """A distrusted authority cannot be retired: that would make its signatures less bad."""

    default_code = "authority_distrusted"
    default_message = "That authority is distrusted already, which says more than retired."
    default_advice = "Give an earlier --since if nothing that it vouched for is to count."
    default_status = 409


def rotate(*, at: datetime, distrusted_since: datetime | None = None) -> Rotated:
    """A fresh authority and a signer under it take over; the old ones' private keys are destroyed.

    With `distrusted_since` the old authority is distrusted from then on.

    Raises:
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    with changing_keys() as (folder, plan):
        old_signer = certificates.leaf_of((folder / f"{plan.signer}.pem").read_text())
        old = certificates.leaf_of((folder / f"{plan.authority}.pem").read_text())
        key, authority = certificates.make_authority(at=at)
        rotated = Rotated(certificates.digest(old), certificates.digest(authority))
        name = f"ca-{rotated.new[:12]}"
        key_folder.write(folder / f"{name}.key", certificates.private_pem(key))
        key_folder.write(folder / f"{name}.pem", certificates.public_pem(authority))
        signer, leaf = key_rotation.write_signer(folder, key, authority, at=at)
        signers = Rotated(certificates.digest(old_signer), certificates.digest(leaf))
        after = replace(plan, signer=signer, authorities=({"name": name}, *plan.authorities))
        if distrusted_since is not None:
            after = _marked(
                after, plan.authority, {DISTRUSTED: key_rotation.second(distrusted_since)}
            )
        with transaction.atomic():
            is_compromised = distrusted_since is not None
            key_rotation.record("authority", rotated, at=at, is_compromised=is_compromised)
            if not has_outside_key():  # whose certificate goes on to sign
                key_rotation.record("signer", signers, at=at)
            if distrusted_since is not None:
                _record_distrust(rotated.old, since=distrusted_since, at=at)
            key_folder.write_plan(folder, after)
        for stale in (plan.signer, plan.authority):
            (folder / f"{stale}.key").unlink(missing_ok=True)
    return rotated


def retire(sha256: str, *, at: datetime) -> None:
    """Vouch no longer for what an older authority issued.

    Raises:
        AuthorityUnknown, AuthorityInUse, AuthorityDistrusted
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    with changing_keys() as (folder, plan):
        said = _older(folder, plan, sha256)
        if DISTRUSTED in said:
            raise AuthorityDistrusted
        with transaction.atomic():
            subject = uuid5(key_rotation.SUBJECTS, f"authority {sha256}")
            transparency_log.append(
                kind=KEY_RETIRED, subject=subject, body={"authority": sha256}, at=at
            )
            retired = {"retired_at": key_rotation.second(at)}
            key_folder.write_plan(folder, _marked(plan, said["name"], retired))


def distrust(sha256: str, *, since: datetime, at: datetime) -> None:
    """Rely on an older authority only for what was there before `since`.

    Raises:
        AuthorityUnknown, AuthorityInUse
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    with changing_keys() as (folder, plan):
        said = _older(folder, plan, sha256)
        with transaction.atomic():
            _record_distrust(sha256, since=since, at=at)
            distrusted = {DISTRUSTED: key_rotation.second(since)}
            key_folder.write_plan(folder, _marked(plan, said["name"], distrusted))


def _record_distrust(sha256: str, *, since: datetime, at: datetime) -> None:
    body = {"authority": sha256, "since": key_rotation.second(since)}
    subject = uuid5(key_rotation.SUBJECTS, f"authority {sha256}")
    transparency_log.append(kind=key_rotation.KEY_REVOKED, subject=subject, body=body, at=at)


def _older(folder: Path, plan: key_folder.KeyPlan, sha256: str) -> Mapping[str, Any]:
    """What the plan says about an authority that others have taken over from."""
    for said in plan.authorities:
        pem = (folder / f"{said['name']}.pem").read_text()
        if certificates.digest(certificates.leaf_of(pem)) == sha256:
            if said["name"] == plan.authority:
                raise AuthorityInUse
            return said
    raise AuthorityUnknown


def _marked(plan: key_folder.KeyPlan, name: str, mark: Mapping[str, str]) -> key_folder.KeyPlan:
    """The plan with that authority retired or distrusted, and not what it was before."""
    told = ({"name": name, **mark} if said["name"] == name else said for said in plan.authorities)
    return replace(plan, authorities=tuple(told))
