"""`manage.py make_bucket`, with which compose.yaml begins."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.generation import object_stores
from tests.generation.object_stores import S3


def said() -> str:
    told = StringIO()
    call_command("make_bucket", stdout=told)
    return told.getvalue()


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_bucket_is_made_once(settings: Settings, region: str) -> None:
    name = f"new-{region}"
    with object_stores.moto() as store:
        options = store.options(bucket_name=name, region_name=region)
        with object_stores.used(settings, S3, options):
            assert said() == f"{name} was made.\n"
            assert said() == f"{name} is there.\n"


def test_store_that_is_away_and_a_folder_are_told_in_a_sentence(settings: Settings) -> None:
    with pytest.raises(CommandError, match="names no bucket"):
        said()
    options = {"bucket_name": "new", "endpoint_url": "http://127.0.0.1:9", "access_key": "a"}
    with (
        object_stores.used(settings, S3, options | {"secret_key": "b"}),
        pytest.raises(CommandError, match="does not answer"),
    ):
        said()
