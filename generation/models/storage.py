"""Where the files of requests and images are kept."""

from __future__ import annotations

from django.core.files.storage import storages
from django.core.files.storage.base import Storage


def private_storage() -> Storage:
    """Storage that no URL serves: images leave it only through a view that checks the owner."""
    return storages["private"]
