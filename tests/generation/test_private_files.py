"""What a house does with its files, alike in a folder, on moto's server and on s3rver's.

Each of the two is wrong somewhere else.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models import FileField
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from adapters.models import AdapterExample, BaseModel
from adapters.uploads import owner_actions
from config.core import content_files
from config.core.storage import private_storage
from config.management.commands import reconcile_storage
from config.storage import copying
from config.storage.reconciling import FOLDERS
from generation.models import GeneratedImage
from generation.work import worker
from provenance.log import transparency_log
from tests.factories import make_image
from tests.fakes import FrozenClock
from tests.generation import object_stores
from tests.generation.object_stores import Folder, ObjectStore, ask, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("image_classifier")]
AsUser = Callable[[User], Client]
Place = Folder | ObjectStore
KINDS = ["folder", "moto", pytest.param("s3rver", marks=pytest.mark.clients)]


@pytest.fixture(scope="module", params=KINDS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("kept")
    if request.param == "folder":
        yield Folder(folder)
        return
    with object_stores.moto() if request.param == "moto" else object_stores.s3rver(folder) as found:
        yield found


@pytest.fixture
def kept(place: Place, settings: Settings, tmp_path: Path) -> Iterator[Place]:
    place.empty()
    settings.PROOFSHEET_ADAPTER_CACHE_DIR = tmp_path / "cache"
    with object_stores.used(settings, place.backend, place.options()):
        yield place


class TestPrivateFiles:
    def test_adapter_is_uploaded_and_worn_and_the_picture_comes_back_and_verifies(
        self, kept: Place, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
        clock: FrozenClock,
    ) -> None:  # fmt: skip
        client = as_user(alice)
        adapter = upload(client, lora, clock=clock)
        assert adapter.state == "accepted", adapter.report
        request = ask(alice, tiny, adapter)
        assert worker.work_one(now=clock)
        request.refresh_from_db()
        assert (request.status, request.code, request.attempts) == ("finished", "", 1)
        image = GeneratedImage.objects.get()
        data = client.get(f"/images/{image.id}/file/").getvalue()
        assert hashlib.sha256(data).hexdigest() == image.sha256
        transparency_log.sequence(at=clock())
        sent = {"file": SimpleUploadedFile("a.png", data, "image/png")}
        assert client.post("/api/v1/verify/", sent).json()["is_ours"]
        folders = [name.split("/")[0] for name in kept.names()]
        assert sorted(folders) == ["adapters", "adapters", "images", "manifests"]
        assert image.adapters[0]["sha256"] == adapter.sha256

    def test_upload_of_a_process_that_was_killed_is_cleared_after_an_hour(
        self, kept: Place, tiny: BaseModel
    ) -> None:
        private_storage().save("quarantine/lost.safetensors", ContentFile(b"x"))
        now = timezone.now()
        owner_actions.clear_quarantine(at=now)
        assert kept.names() == ["quarantine/lost.safetensors"]
        owner_actions.clear_quarantine(at=now + timedelta(hours=2))
        assert kept.names() == []

    def test_files_without_a_row_and_rows_without_a_file_are_told(
        self, kept: Place, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
        clock: FrozenClock, capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        upload(as_user(alice), lora, clock=clock)
        there, gone = make_image(alice, tiny), make_image(alice, tiny)
        private_storage().delete(str(gone.file.name))
        for name in ("images/ab/cd/left.png", "manifests/ab/cd/abcd", "adapters/examples/a.png"):
            private_storage().save(name, ContentFile(b"x"))
        call_command_ends(1, "reconcile_storage", "--delete")
        none_is_old_yet = "0 files have no row; 1 rows have no file"
        assert none_is_old_yet in capsys.readouterr().out
        reconcile_storage.AGE, age = timedelta(days=-1), reconcile_storage.AGE
        try:
            call_command_ends(1, "reconcile_storage", "--delete")
        finally:
            reconcile_storage.AGE = age
        told = capsys.readouterr()
        assert "no row names images/ab/cd/left.png" in told.out
        assert "2 files have no row and were deleted; 1 rows" in told.out
        assert f"the storage has no {gone.file.name}" in told.err
        assert private_storage().exists(str(there.file.name))
        assert private_storage().exists("adapters/examples/a.png")

    def test_file_is_there_whole_and_never_overwritten_and_goes(self, kept: Place) -> None:
        storage = private_storage()
        large = random.Random(7).randbytes(20 * 1024 * 1024)  # goes in parts
        name = storage.save("images/ab/a.png", ContentFile(large))
        assert storage.save("images/ab/a.png", ContentFile(b"another")) != name
        with storage.open(name) as file:
            assert hashlib.sha256(file.read()).digest() == hashlib.sha256(large).digest()
        assert (storage.size(name), storage.exists(name)) == (len(large), True)
        assert abs(storage.get_modified_time(name) - timezone.now()) < timedelta(minutes=5)
        for found in list(copying.names(storage)):
            storage.delete(found)
        assert kept.names() == []

    def test_what_is_not_there_is_told_as_missing(self, kept: Place) -> None:
        storage = private_storage()
        for ask_for in (storage.open, storage.size):
            with pytest.raises(FileNotFoundError):
                ask_for("images/none.png")
        assert not storage.exists("images/none.png")
        storage.delete("images/none.png")
        assert list(copying.names(storage, "images")) == []
        with pytest.raises(SuspiciousOperation):
            storage.save("../outside", ContentFile(b"x"))

    def test_same_content_of_many_at_once_is_one_file_and_altered_or_lost_it_is_told(
        self, kept: Place
    ) -> None:
        data = random.Random(3).randbytes(300_000)
        with ThreadPoolExecutor(8) as at_once:
            [digest] = set(at_once.map(lambda _: content_files.keep("manifests", data), range(8)))
        [name] = kept.names()
        assert content_files.read("manifests", digest) == data
        kept.put(name, b"something else")
        with pytest.raises(content_files.ContentAltered):
            content_files.read("manifests", digest)
        content_files.discard("manifests", [digest])
        with pytest.raises(content_files.ContentMissing):
            content_files.read("manifests", digest)


def call_command_ends(status: int, *words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(*words)
    assert ended.value.code == status


def test_every_column_that_names_a_stored_file_is_reconciled() -> None:
    """One that is forgotten has its files deleted as nobody's."""
    columns = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, FileField)
    }
    known = {column for folder in FOLDERS for column in folder.columns}
    assert columns - known == {(AdapterExample, "file")}, "examples are left alone"
