"""A house whose files lie in a bucket: what is made there, and what is told while it is away."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db.models import FileField
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from adapters.models import Adapter, AdapterExample, BaseModel
from adapters.uploads import check_job, owner_actions
from config.core.content_files import ContentAltered
from config.core.storage import StorageAway, private_storage
from config.management.commands import reconcile_storage
from config.storage.reconciling import FOLDERS
from generation.models import GeneratedImage, GenerationRequest, RequestAdapter
from generation.requests import storage_room
from generation.work import adapter_files, worker
from provenance.log import transparency_log
from tests import tiny_pipeline
from tests.factories import make_image, make_request
from tests.fakes import FrozenClock
from tests.generation import object_stores
from tests.generation.object_stores import BUCKET, ObjectStore

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("image_classifier")]
AsUser = Callable[[User], Client]


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with object_stores.moto() as found:
        yield found


@pytest.fixture
def store(server: ObjectStore, settings: Settings, tmp_path: Path) -> Iterator[ObjectStore]:
    for name in server.names():
        server.client.delete_object(Bucket=BUCKET, Key=name)
    before = settings.STORAGES["private"]
    settings.PROOFSHEET_ADAPTER_CACHE_DIR = tmp_path / "cache"
    object_stores.use(settings, "config.storage.private_s3.PrivateS3", server.options())
    yield server
    object_stores.use(settings, before["BACKEND"], before["OPTIONS"])


@pytest.fixture(scope="session")
def lora(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("lora") / "a.safetensors"
    return tiny_pipeline.build_adapter(path, tiny_folder, rank=4).read_bytes()


def upload(client: Client, content: bytes, *, clock: FrozenClock) -> Adapter:
    """As the page and the worker do."""
    file = SimpleUploadedFile("Ink style.safetensors", content)
    answer = client.post("/adapters/upload/", {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    adapter = Adapter.objects.get(slug=answer["Location"].strip("/").split("/")[-1])
    check_job.validate(adapter.id, now=clock)
    adapter.refresh_from_db()
    return adapter


def ask(owner: User, model: BaseModel, adapter: Adapter) -> GenerationRequest:
    request = make_request(owner, model)
    RequestAdapter.objects.create(
        request=request, adapter=adapter, weight=1.0, sha256=adapter.sha256, position=0
    )
    return request


def test_adapter_is_uploaded_and_worn_and_the_picture_comes_back_and_verifies(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
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
    folders = [name.split("/")[1] for name in store.names()]
    assert sorted(folders) == ["adapters", "adapters", "images", "manifests"]
    assert image.adapters[0]["sha256"] == adapter.sha256


def test_copy_on_a_render_host_is_fetched_once_and_only_used_as_what_it_is(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, settings: Settings,
) -> None:  # fmt: skip
    adapter = upload(as_user(alice), lora, clock=clock)
    copy = adapter_files.path_of(adapter)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == copy.stem
    key = f"media/{adapter.file.name}"
    store.client.put_object(Bucket=BUCKET, Key=key, Body=b"something else")
    assert adapter_files.path_of(adapter) == copy  # asks nobody
    copy.unlink()
    with pytest.raises(ContentAltered):
        adapter_files.path_of(adapter)
    assert [path.suffix for path in copy.parent.iterdir()] == [".lock"]


def test_copies_that_were_not_used_for_longest_make_room(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, settings: Settings,
) -> None:  # fmt: skip
    adapter = upload(as_user(alice), lora, clock=clock)
    folder = Path(settings.PROOFSHEET_ADAPTER_CACHE_DIR)
    folder.mkdir()
    for hours in (1, 2, 3):
        file = folder / f"{hours}.safetensors"
        file.write_bytes(bytes(1000))
        os.utime(file, (file.stat().st_mtime - 3600 * hours,) * 2)
    (folder / "killed.part").write_bytes(bytes(10))
    os.utime(folder / "killed.part", (0, 0))
    settings.PROOFSHEET_ADAPTER_CACHE_MAX_BYTES = adapter.file.size + 1500
    kept = adapter_files.path_of(adapter)
    left = {path.name for path in folder.iterdir() if path.suffix != ".lock"}
    assert left == {kept.name, "1.safetensors"}


def test_request_waits_while_the_bucket_is_away_and_is_made_when_it_is_back(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, settings: Settings,
) -> None:  # fmt: skip
    adapter = upload(as_user(alice), lora, clock=clock)
    request = ask(alice, tiny, adapter)
    away = "http://127.0.0.1:9"
    object_stores.use(
        settings, "config.storage.private_s3.PrivateS3", store.options(endpoint_url=away)
    )
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("queued", 0)
    assert not worker.work_one(now=clock)  # nobody draws in vain meanwhile
    answer = as_user(alice).post(
        "/adapters/upload/", {"file": SimpleUploadedFile("b.safetensors", lora + b"x")}
    )
    assert answer.status_code == 503
    assert "storage of files does not answer" in answer.content.decode()
    object_stores.use(settings, "config.storage.private_s3.PrivateS3", store.options())
    clock.forward(storage_room.BELIEVED_FOR.total_seconds() + 1)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("finished", 1)


def test_bucket_without_rights_or_that_is_not_there_is_told_as_away(
    store: ObjectStore, settings: Settings
) -> None:
    object_stores.use(
        settings, "config.storage.private_s3.PrivateS3", store.options(bucket_name="nowhere")
    )
    for act in (
        lambda: private_storage().save("a", ContentFile(b"x")),
        lambda: private_storage().listdir(""),
    ):
        with pytest.raises(StorageAway, match="404 .NoSuchBucket"):
            act()


def test_upload_of_a_process_that_was_killed_is_cleared_after_an_hour(
    store: ObjectStore, tiny: BaseModel
) -> None:
    private_storage().save("quarantine/lost.safetensors", ContentFile(b"x"))
    now = timezone.now()
    owner_actions.clear_quarantine(at=now)
    assert store.names() == ["media/quarantine/lost.safetensors"]
    owner_actions.clear_quarantine(at=now + timedelta(hours=2))
    assert store.names() == []


def test_files_move_into_a_bucket_and_a_run_that_was_ended_goes_on(
    store: ObjectStore, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = FileSystemStorage(tmp_path / "media")
    for number in range(4):
        folder.save(f"images/{number}/a.png", ContentFile(bytes([number]) * 3000))
    here = {"location": str(tmp_path / "media")}
    object_stores.use(settings, "django.core.files.storage.FileSystemStorage", here)
    store.client.put_object(Bucket=BUCKET, Key="media/images/0/a.png", Body=bytes(3000))
    store.client.put_object(Bucket=BUCKET, Key="media/images/3/a.png", Body=b"another")
    said = ["--backend=config.storage.private_s3.PrivateS3"]
    said += [f"--options={json.dumps(store.options())}"]
    with pytest.raises(SystemExit):
        call_command("copy_storage", *said)
    told = capsys.readouterr()
    assert "2 files copied, 1 were there already, 1 could not be" in told.out
    assert "images/3/a.png: another file of that name" in told.err
    store.client.delete_object(Bucket=BUCKET, Key="media/images/3/a.png")
    call_command("copy_storage", *said)
    assert "1 files copied, 3 were there already, 0" in capsys.readouterr().out
    away = store.options(endpoint_url="http://127.0.0.1:9")
    with pytest.raises(CommandError, match="does not answer at the moment"):
        call_command("copy_storage", said[0], f"--options={json.dumps(away)}")


def test_files_without_a_row_and_rows_without_a_file_are_told(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    upload(as_user(alice), lora, clock=clock)
    kept, gone = make_image(alice, tiny), make_image(alice, tiny)
    private_storage().delete(str(gone.file.name))
    for name in ("images/ab/cd/left.png", "manifests/ab/cd/abcd", "adapters/examples/a.png"):
        private_storage().save(name, ContentFile(b"x"))
    call_command_ends(1, "reconcile_storage", "--delete")
    assert "0 files have no row; 1 rows have no file" in capsys.readouterr().out  # none is old yet
    reconcile_storage.AGE, age = timedelta(days=-1), reconcile_storage.AGE
    try:
        call_command_ends(1, "reconcile_storage", "--delete")
    finally:
        reconcile_storage.AGE = age
    told = capsys.readouterr()
    assert "no row names images/ab/cd/left.png" in told.out
    assert "2 files have no row and were deleted; 1 rows" in told.out
    assert f"the storage has no {gone.file.name}" in told.err
    assert private_storage().exists(str(kept.file.name))
    assert private_storage().exists("adapters/examples/a.png")


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
