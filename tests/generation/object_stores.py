"""Where private files may lie: a folder of this host, or a bucket of a server that runs beside."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from django.apps import apps
from django.core.files.storage import storages
from django.db.models import FileField
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings

from config.launch.child_processes import free_port

BUCKET, KEY, SECRET, REGION = "private-files", "key", "secret", "eu-central-1"


@dataclass
class ObjectStore:
    """A server of S3's protocol on this host, with one empty bucket."""

    url: str

    def __post_init__(self) -> None:
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name=REGION,
        )

    def names(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(each["Key"] for each in found)

    def options(self, **more: object) -> dict[str, object]:
        """As an operator writes them into PRIVATE_STORAGE_OPTIONS."""
        return {
            **{"bucket_name": BUCKET, "endpoint_url": self.url, "region_name": REGION},
            **{"access_key": KEY, "secret_key": SECRET, "addressing_style": "path"},
            **{"location": "media"},
            **more,
        }


@contextmanager
def moto() -> Iterator[ObjectStore]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        store = ObjectStore(f"http://127.0.0.1:{port}")
        store.client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield store
    finally:
        server.stop()


def use(settings: Settings, backend: str, options: Mapping[str, object]) -> None:
    """Have every private file lie there, as a house has it that starts with these settings."""
    settings.STORAGES = {**settings.STORAGES, "private": {"BACKEND": backend, "OPTIONS": options}}
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, FileField) and hasattr(field, "_storage_callable"):
                field.storage = storages["private"]
