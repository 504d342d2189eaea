"""Private files in a bucket of an S3-compatible store: `PRIVATE_STORAGE_BACKEND` names `PrivateS3`.

django-storages' own class with the options that private files need and with what goes wrong told as
the house tells it: no such file, no room, or away for a while. Nothing else imports boto3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from config.core.disk_full import StorageFull
from config.core.storage import StorageAway

SPOOLED_BYTES = 8 * 1024 * 1024
CONNECT_S, READ_S, TRIES = 2, 20, 3
_FULL = {
    *("QuotaExceeded", "InsufficientStorage", "InsufficientCapacity", "NoSpaceLeft"),
    *("XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "TotalRequestsSizeExceeded"),
}


class PrivateS3(S3Storage):  # type: ignore[misc] # django-storages has no types
    """A file is there whole or not at all, is never overwritten, and no address serves it.

    Every method raises StorageAway and StorageFull; FileNotFoundError as a folder's would.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config: Config = self.client_config.merge(
            Config(
                connect_timeout=CONNECT_S,
                read_timeout=READ_S,
                retries={"mode": "standard", "total_max_attempts": TRIES},
                # Stores other than AWS refuse the checksums that boto3 sends of its own accord.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            )
        )

    def get_default_settings(self) -> dict[str, Any]:
        return {
            **super().get_default_settings(),
            "file_overwrite": False,
            "default_acl": None,
            "querystring_expire": 60,
            "max_memory_size": SPOOLED_BYTES,
            "signature_version": "s3v4",
        }

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        """Of one to be read all is fetched: what fails fails here, and not in the midst of it."""
        with _told():
            file: File[bytes] = super()._open(name, mode)
            return file.open() if "r" in mode else file

    def _save(self, name: str, content: File[bytes]) -> str:
        with _told():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with _told():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with _told():
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _told():
            folders, files = super().listdir(name)
            return list(folders), list(files)

    def size(self, name: str) -> int:
        with _told():
            return int(super().size(name))

    def get_modified_time(self, name: str) -> datetime:
        with _told():
            at: datetime = super().get_modified_time(name)
            return at


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code in _FULL or status == 507:
            raise StorageFull from error
        if status == 404 and code != "NoSuchBucket":
            raise FileNotFoundError(code) from error
        raise StorageAway(message=f"The object storage answers {status} ({code}).") from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageAway from error
