"""Files go with their rows, also where an account takes the rows along."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete

from generation.models import GeneratedImage, SourcePicture


def connect() -> None:
    """Once, when every application is loaded: a deleted row's file goes at the commit."""
    for table in (GeneratedImage, SourcePicture):
        post_delete.connect(_delete_file, sender=table, dispatch_uid=f"files.{table.__name__}")


def _delete_file(instance: Any, **_: Any) -> None:
    files = instance.files if isinstance(instance, SourcePicture) else [instance.file]
    for file in files:
        if file.name:
            transaction.on_commit(partial(file.storage.delete, file.name))
