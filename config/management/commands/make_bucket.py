"""`manage.py make_bucket`: the bucket of a new house, for `compose.yaml`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.core.storage import StorageAway, private_storage
from config.storage.private_s3 import PrivateS3


class Command(BaseCommand):
    help = "Make the bucket that PRIVATE_STORAGE_OPTIONS names, where the store has none yet."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        storage = private_storage()
        if not isinstance(storage, PrivateS3):
            raise CommandError("PRIVATE_STORAGE_BACKEND names no bucket.")
        try:
            is_new = storage.make_bucket()
        except StorageAway as error:
            raise CommandError(f"{error.message} {error.advice}") from error
        self.stdout.write(f"{storage.bucket_name} {'was made' if is_new else 'is there'}.")
