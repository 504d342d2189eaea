"""`manage.py backup DIR`: database, files and keys of this house, which goes on meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups import backing_up, key_locks
from config.backups.backing_up import KeyPlace
from config.core import clock
from config.core.errors import ProofsheetError


class Command(BaseCommand):
    help = (
        "Back up this house into a new folder: the database as of one moment, every private file, "
        "and a manifest with digests, counts and the log's newest checkpoint. The signing keys go "
        "into a file of their own, encrypted: keep it elsewhere. A run that was cut off is no "
        "backup, and goes on where it was when it is run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument(
            "--keys", metavar="FILE", type=Path, help="where the keys go; default: DIR.keys"
        )
        lock = parser.add_mutually_exclusive_group(required=True)
        key_locks.add_passphrase(lock)
        lock.add_argument(
            "--recipient", metavar="FILE", type=Path, help="an X25519 public key (PEM)"
        )
        lock.add_argument(
            "--without-keys", action="store_true", help="where they are kept by other means"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"].absolute()
        try:
            lock = key_locks.lock_of(options)
            path = options["keys"] or Path(f"{folder}.keys")
            place = KeyPlace(path, lock) if lock else None
            done = backing_up.make(folder, keys=place, at=clock.now(), say=self._say)
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        if done.lost:
            raise CommandError(
                f"The backup in {folder} is not whole: {len(done.lost)} of the files that rows "
                "name are not in the storage. Look where it is mounted (`manage.py "
                "reconcile_storage` lists them), then back up into a new folder."
            )
        mib = (done.database.bytes + done.objects_bytes) / 2**20
        self.stdout.write(
            f"{folder} is a whole backup: {mib:,.0f} MiB, {done.objects} files"
            + (f"; the keys are in {path}." if place else "; no private key is in it.")
        )

    def _say(self, part: str) -> None:
        self.stdout.write(f"· {part}")
