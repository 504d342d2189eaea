"""Proofs and entries of the log as they are shown and handed out."""

import json
from dataclasses import dataclass
from uuid import UUID

from provenance import canonical, entries, log, tlog_proof
from provenance.checkpoint import NoteInvalid
from provenance.merkle import ProofInvalid
from provenance.models import Leaf

TITLES = {
    "asset.marked": "A picture was marked",
    "decision.made": "A moderation decision was made",
}


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
    fault: str
    is_asset: bool


def describe(index: int) -> EntryPage:
    """The entry at a leaf index with its proof. Raises `log.NotInLog`."""
    proof = log.prove_inclusion(index)
    record = canonical.decode(proof.body)
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
        fault=_fault(proof),
        is_asset=record["kind"] == entries.ASSET_MARKED,
    )


def _fault(proof: log.InclusionProof) -> str:
    try:
        log.verify_proof(proof)
    except (ProofInvalid, NoteInvalid) as error:
        return error.message
    return ""


def of_asset(asset_id: UUID) -> str:
    """The `.tlog-proof` of the entry about an asset. Raises `log.NotInLog`."""
    leaves = Leaf.objects.filter(entry__kind=entries.ASSET_MARKED, entry__subject=asset_id)
    index = leaves.order_by("index").values_list("index", flat=True).first()
    if index is None:
        raise log.NotInLog(message="The log holds no entry about that picture, or not yet.")
    proof = log.prove_inclusion(index)
    return tlog_proof.write(tlog_proof.Proof(index, proof.path, proof.note, proof.body))
