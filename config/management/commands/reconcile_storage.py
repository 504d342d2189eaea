"""`manage.py reconcile_storage`: files that no row names, and rows whose file is gone."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.core import clock
from config.core.storage import StorageAway, private_storage
from config.storage import reconciling

AGE = timedelta(days=1)


class Command(BaseCommand):
    help = (
        "List private files that no row of the database names and that are older than a day, as a "
        "process that was killed leaves them; --delete deletes them. List also what rows name and "
        "the storage has not (exit status 1): it has to come back from a backup."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        storage = private_storage()
        unnamed = missing = 0
        try:
            for name in reconciling.unnamed(storage, before=clock.now() - AGE):
                unnamed += 1
                self.stdout.write(f"no row names {name}")
                if options["delete"]:
                    storage.delete(name)
            for name in reconciling.missing(storage):
                missing += 1
                self.stderr.write(f"the storage has no {name}")
        except StorageAway as error:
            raise CommandError(f"{error.message} {error.advice}") from error
        done = " and were deleted" if options["delete"] and unnamed else ""
        self.stdout.write(f"{unnamed} files have no row{done}; {missing} rows have no file.")
        if missing:
            sys.exit(1)
