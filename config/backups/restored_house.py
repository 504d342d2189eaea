"""Whether a house that came out of a backup is the one that went in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from config.backups import backing_up, manifest, restoring, stored_objects
from config.backups.manifest import BackupManifest
from config.core import clock
from config.core.errors import ProofsheetError
from config.core.storage import private_storage
from config.storage import reconciling
from provenance.database import record_rules
from provenance.keys.installed_keys import keyring
from provenance.log import cosigning, own_keys, recomputation, rollback, transparency_log
from provenance.log.formats import checkpoint, merkle

Say = Callable[[str], object]


def faults(folder: Path, *, say: Say) -> Iterator[str]:
    """A sentence for each thing that is not as the backup has it. Raises NoBackup, BackupDamaged,
    StorageAway.
    """
    said = manifest.read(folder)
    manifest.require_whole(folder / manifest.DUMP, said.database)
    say("keys")
    yield from _keys(said)
    say("log")
    yield from _log(said)
    say("tables")
    yield from _counts(said)
    say(f"files: {said.objects}")
    yield from _files(folder, said)


def _keys(said: BackupManifest) -> Iterator[str]:
    try:
        own_keys.require_signer_of(transparency_log.latest_checkpoint())
    except transparency_log.NotInLog:
        pass  # a house that has logged nothing yet
    except ProofsheetError as error:
        yield error.message
    if said.origin != settings.PROOFSHEET_LOG_ORIGIN:
        yield (
            f"PROOFSHEET_LOG_ORIGIN is {settings.PROOFSHEET_LOG_ORIGIN}, and the log's name is "
            f"{said.origin}."
        )
    if backing_up.secret_key_sha256() != said.keys.secret_key_sha256:
        yield (
            "SECRET_KEY is another than the backed-up house's: second factors and the secrets of "
            "webhooks cannot be opened, and everybody signs in anew."
        )


def _log(said: BackupManifest) -> Iterator[str]:
    """From the backup's checkpoint on, and against what witnesses have seen since."""
    found = recomputation.audit()
    if found.fault:
        yield f"The log does not hold: {found.fault.sentence}"
    if said.checkpoint:
        try:
            _follow(said)
        except ProofsheetError as error:
            yield f"The log does not go on from the backup's checkpoint: {error.message}"
    for witness in cosigning.witnesses():
        cosigning.look(witness, at=clock.now())
    if lacking := rollback.missing():
        yield (
            f"A witness has seen {lacking} entries more than there are: a newer backup is needed, "
            "and until then the log signs nothing."
        )


def _follow(said: BackupManifest) -> None:
    old, _ = checkpoint.verify_by_any(
        said.checkpoint, origin=said.origin, keys=keyring().log_verifiers()
    )
    head = checkpoint.parse(transparency_log.latest_checkpoint().note)
    if old.tree_size:
        path = transparency_log.prove_consistency(old.tree_size, head.tree_size)
        merkle.verify_consistency(
            old.tree_size, head.tree_size, old.root_hash, head.root_hash, path
        )


def _counts(said: BackupManifest) -> Iterator[str]:
    """Of rows that nobody ever deletes a house that has gone on since has more, never fewer."""
    now = backing_up.counts()
    for table, count in said.counts.items():
        rule = record_rules.RULES.get(table, record_rules.OTHER)
        stays = rule.kind in ("evidence", "log") and not rule.is_deleted
        if stays and table in now and now[table] < count:
            yield f"{table} has {now[table]} rows, and had {count}."


def _files(folder: Path, said: BackupManifest) -> Iterator[str]:
    storage = private_storage()
    for name in stored_objects.altered(restoring.objects_of(folder, said), storage):
        yield f"{name} in the storage is not what was backed up."
    known = set(said.missing)
    for name in reconciling.missing(storage):
        if name not in known:
            yield f"A row names {name}, and the storage has no such file."
