"""Private files in a bucket of an S3-compatible store: `PRIVATE_STORAGE_BACKEND` names `PrivateS3`.

django-storages' own class with the options that private files need and with what goes wrong told as
the house tells it: no such file, no room, away for a while, or set up wrongly (`storage_refusals`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from time import monotonic
from typing import Any

from botocore.config import Config
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from config.core.storage import StorageRefused
from config.storage import storage_refusals

SPOOLED_BYTES = 8 * 1024 * 1024
CONNECT_S, READ_S, TRIES = 2, 20, 3
BUCKET_BELIEVED_S = 30.0


class PrivateS3(S3Storage):  # type: ignore[misc] # django-storages has no types
    """A file is there whole or not at all, is never overwritten, and no address serves it.

    Every method raises StorageAway, StorageRefused and StorageFull; FileNotFoundError as a
    folder's would, and ContentMissing of a file that lies in an archive.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._bucket_seen_s = float("-inf")
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
        with self._told():
            file: File[bytes] = super()._open(name, mode)
            return file.open() if "r" in mode else file

    def _save(self, name: str, content: File[bytes]) -> str:
        with self._told():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError), self._told():
            self.bucket.Object(self._normalize_name(clean_name(name))).delete()

    def exists(self, name: str) -> bool:
        with self._told():
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with self._told():
            folders, files = super().listdir(name)
            return list(folders), list(files)

    def names_in(self, folder: str) -> Iterator[str]:
        """Of all files in it and below: a thousand an answer, not a folder an answer."""
        top, below = self._prefix(""), self._prefix(folder)
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        with self._told():
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=below):
                for entry in page.get("Contents", ()):
                    if not entry["Key"].endswith("/"):  # a folder, as consoles draw them
                        yield entry["Key"].removeprefix(top)

    def _prefix(self, folder: str) -> str:
        path = str(self._normalize_name(clean_name(folder)))
        return f"{path.rstrip('/')}/".lstrip("/")

    def size(self, name: str) -> int:
        with self._told():
            return int(self._looked_up(name).content_length)

    def get_modified_time(self, name: str) -> datetime:
        with self._told():
            at: datetime = self._looked_up(name).last_modified
            return at

    def _looked_up(self, name: str) -> Any:
        """With `object_parameters`, which django-storages' own `size` and time leave out: a store
        says nothing of a file under a customer's key (SSE-C) to who does not send it.
        """
        return super()._open(name).obj

    def make_bucket(self) -> bool:
        """Make the house's bucket, which is nobody else's to read; False where it is there."""
        try:
            self._require_bucket()
        except StorageRefused as error:
            if error.message != storage_refusals.NO_BUCKET:
                raise
            region = self.region_name
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            where = place if region and region != "us-east-1" else {}
            with storage_refusals.told():
                self.connection.meta.client.create_bucket(Bucket=self.bucket_name, **where)
            return True
        return False

    @property
    def connection(self) -> Any:
        try:
            return super().connection
        except ValueError as error:  # boto3's own, of an endpoint_url
            raise storage_refusals.no_storage() from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        if monotonic() - self._bucket_seen_s >= BUCKET_BELIEVED_S:
            self._require_bucket()
        try:
            with storage_refusals.told():
                yield
        except storage_refusals.Unexplained:
            self._require_bucket()
            raise

    def _require_bucket(self) -> None:
        """Raises StorageAway and StorageRefused: in one that is not there every file would be
        missing, and at an address that says yes to whatever it is asked, each would be there.
        """
        try:
            with storage_refusals.told():
                listed = self.connection.meta.client.list_objects_v2(
                    Bucket=self.bucket_name, MaxKeys=1, Prefix=self._prefix("")
                )
        except FileNotFoundError as error:
            raise storage_refusals.no_bucket() from error
        if "Name" not in listed:  # boto3 takes any well-formed page for a list of nothing
            raise storage_refusals.no_storage()
        self._bucket_seen_s = monotonic()
