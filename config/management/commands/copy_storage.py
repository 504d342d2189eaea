"""`manage.py copy_storage`: copy every private file into another storage, before a move to it."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.files.storage import InvalidStorageError, storages
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.core.disk_full import StorageFull
from config.core.storage import StorageAway, private_storage
from config.storage import copying


class Command(BaseCommand):
    help = (
        "Copy every private file into the storage that --backend and --options name, as "
        "PRIVATE_STORAGE_BACKEND and PRIVATE_STORAGE_OPTIONS would. What is there already with the "
        "same SHA-256 is passed over, so that a run that was ended goes on, and a second one after "
        "the house was stopped copies what came meanwhile. Exit status 1 where a file differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--backend", required=True, metavar="CLASS")
        parser.add_argument("--options", default="{}", metavar="JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            said = {"BACKEND": options["backend"], "OPTIONS": json.loads(options["options"])}
            target = storages.create_storage(said)
        except (InvalidStorageError, TypeError, ValueError) as error:
            raise CommandError(f"That storage cannot be used: {error}") from error
        try:
            done = copying.copy_all(private_storage(), target)
        except (StorageAway, StorageFull) as error:
            raise CommandError(f"{error.message} Run it again: it goes on where it was.") from error
        self.stdout.write(
            f"{done.copied} files copied, {done.there} were there already, "
            f"{len(done.failed)} could not be."
        )
        for name, reason in done.failed:
            self.stderr.write(f"{name}: {reason}")
        if done.failed:
            sys.exit(1)
