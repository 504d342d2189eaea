"""Files go with their rows, also where an account takes the rows along."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete

from generation.models import GeneratedImage, SourcePicture


def connect() -> None:
    """Once, when every application is loaded: a deleted row's file goes at the commit."""
    for table in (GeneratedImage, SourcePicture):
        post_delete.connect(_delete_file, sender=table, dispatch_uid=f"files.{table.__name__}")


def _delete_file(instance: Any, **_: Any) -> None:
    name, storage = instance.file.name, instance.file.storage
    if name:
        transaction.on_commit(lambda: storage.delete(name))
