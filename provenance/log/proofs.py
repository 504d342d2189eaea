"""Proofs and entries of the log as they are shown and handed out."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings

from provenance.keys.installed_keys import keyring
from provenance.log import asset_entries, cosigning, timestamping, transparency_log
from provenance.log.formats import canonical_json, checkpoint, proof_file
from provenance.log.formats.checkpoint import NoteInvalid
from provenance.log.formats.merkle import ProofInvalid
from provenance.models import Checkpoint, Leaf, Timestamp

TITLES = {
    "asset.marked": "A picture was marked",
    "asset.erased": "The record of a picture was erased",
    "key.rotated": "A key was replaced by another",
    "key.revoked": "A certificate was withdrawn",
    "key.retired": "An old authority is no longer vouched for",
    "moderation.decision": "A moderation decision was made",
    "moderation.appeal": "An appeal was decided",
    "moderation.policy": "A policy was put in force",
    "moderation.overlay": "A project's overlay on the policy was put in force or retired",
    "moderation.reveal": "A reviewer looked at a picture that was blurred",
    "account.role": "The rights of an account with a role were changed by two people",
    "account.provided_role": "The rights of an account were changed by an identity provider",
    "account.emergency": "An account for emergencies was used to sign in past single sign-on",
    "audit.report": "A bias audit was frozen",
    "audit.decision": "It was decided what follows from a bias audit",
}


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Somebody else who has seen the tree that an entry is proved against, and when."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One entry in words; `fault` is empty when its proof leads to the signed root."""

    index: int
    tree_size: int
    title: str
    kind: str
    subject: str
    at: str
    body: str
    path: tuple[str, ...]
    checkpoint: str
    witnesses: tuple[Witnessed, ...]
    dated: Timestamp | None
    fault: str
    is_asset: bool


def describe(index: int) -> EntryPage:
    """The entry at a leaf index with its proof. Raises `NotInLog`."""
    proof = _witnessed_proof(index)
    record = canonical_json.decode(proof.body)
    return EntryPage(
        index=index,
        tree_size=proof.tree_size,
        title=TITLES.get(record["kind"], record["kind"]),
        kind=record["kind"],
        subject=record["subject"],
        at=record["at"],
        body=json.dumps(record["body"], indent=2, ensure_ascii=False),
        path=tuple(digest.hex() for digest in proof.path),
        checkpoint=proof.note,
        witnesses=tuple(
            Witnessed(witness.name, cosigning.time_of(line))
            for witness, line in cosigning.lines_in(proof.note)
        ),
        dated=timestamping.of_leaf(index),
        fault=_fault(proof),
        is_asset=record["kind"] == asset_entries.ASSET_MARKED,
    )


def _witnessed_proof(index: int) -> transparency_log.InclusionProof:
    """Against the tree that a timestamping authority dated, where there is one; else against the
    largest that a witness has seen; else against the latest.
    """
    if (dated := timestamping.of_leaf(index)) is not None:
        head = Checkpoint.objects.get(tree_size=dated.tree_size)
        return replace(transparency_log.prove_inclusion(index, head=head), note=dated.note)
    proof = transparency_log.prove_inclusion(index, head=cosigning.best_head(index))
    return replace(proof, note=proof.note + cosigning.lines_for(proof.tree_size))


def _fault(proof: transparency_log.InclusionProof) -> str:
    try:
        transparency_log.verify_proof(proof)
    except (ProofInvalid, NoteInvalid) as error:
        return error.message
    return ""


def verifier_keys() -> list[str]:
    """The log's public keys in the note format, the newest first."""
    origin = settings.PROOFSHEET_LOG_ORIGIN
    return [checkpoint.verifier_key(origin, key) for key in keyring().log_verifiers()]


def of_asset(asset_id: UUID) -> str:
    """The `.tlog-proof` of the entry about an asset. Raises `NotInLog`."""
    leaves = Leaf.objects.filter(entry__kind=asset_entries.ASSET_MARKED, entry__subject=asset_id)
    index = leaves.order_by("index").values_list("index", flat=True).first()
    if index is None:
        raise transparency_log.NotInLog(
            message="The log holds no entry about that picture, or not yet."
        )
    proof = _witnessed_proof(index)
    return proof_file.write(proof_file.Proof(index, proof.path, proof.note, proof.body))
