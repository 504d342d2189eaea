"""A house whose files lie in a bucket: what is made there, and what is told while it is away."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from botocore.exceptions import ClientError
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.storage.base import Storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from adapters.models import Adapter, BaseModel
from adapters.uploads import quarantine
from config.core import content_files
from config.core.content_files import ContentMissing
from config.core.disk_full import StorageFull
from config.core.storage import StorageAway, StorageRefused, private_storage
from config.runtime import start_check
from config.storage import private_s3
from generation.conditions import stored_uploads
from generation.conditions.wanted_images import WantedInitImage
from generation.requests import storage_room
from generation.work import adapter_files, worker
from tests.factories import make_image, make_request
from tests.fakes import FrozenClock
from tests.generation import object_stores
from tests.generation.object_stores import BUCKET, FOLDER, S3, ObjectStore, ask, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("image_classifier")]
AsUser = Callable[[User], Client]


def test_adapters_of_those_that_wait_are_fetched_beside_the_picture(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    adapter = upload(as_user(alice), lora, clock=clock)
    bare = make_request(alice, tiny)
    ask(alice, tiny, adapter, queued_at=clock() + timedelta(seconds=1))
    is_published, fetched = Event(), Event()
    was_published = []
    fetch = adapter_files.path_of

    def slowly(wanted: Adapter) -> Path:
        was_published.append(is_published.wait(30))
        found = fetch(wanted)
        fetched.set()
        return found

    monkeypatch.setattr(adapter_files, "path_of", slowly)
    assert worker.work_one(now=clock)
    bare.refresh_from_db()
    assert bare.status == "finished"
    is_published.set()
    assert fetched.wait(30)
    assert was_published == [True]
    assert fetch(adapter).exists()


def test_request_waits_while_the_bucket_is_away_and_is_made_when_it_is_back(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, settings: Settings,
) -> None:  # fmt: skip
    adapter = upload(as_user(alice), lora, clock=clock)
    request = ask(alice, tiny, adapter)
    away = "http://127.0.0.1:9"
    object_stores.use(settings, S3, store.options(endpoint_url=away))
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("queued", 0)
    assert not worker.work_one(now=clock)  # nobody draws in vain meanwhile
    answer = as_user(alice).post(
        "/adapters/upload/", {"file": SimpleUploadedFile("b.safetensors", lora + b"x")}
    )
    assert answer.status_code == 503
    assert "storage of files does not answer" in answer.content.decode()
    object_stores.use(settings, S3, store.options())
    clock.forward(storage_room.BELIEVED_FOR.total_seconds() + 1)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("finished", 1)


def test_files_move_into_a_bucket_and_a_run_that_was_ended_goes_on(
    store: ObjectStore, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = FileSystemStorage(tmp_path / "media")
    for number in range(4):
        folder.save(f"images/{number}/a.png", ContentFile(bytes([number]) * 3000))
    here = {"location": str(tmp_path / "media")}
    object_stores.use(settings, FOLDER, here)
    store.put("images/0/a.png", bytes(3000))
    store.put("images/3/a.png", b"another")
    said = [f"--backend={S3}"]
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


ACTS: list[Callable[[Storage], object]] = [
    lambda kept: kept.save("images/a", ContentFile(b"x")),
    lambda kept: kept.open("images/a"),
    lambda kept: kept.exists("images/a"),
    lambda kept: kept.size("images/a"),
    lambda kept: kept.get_modified_time("images/a"),
    lambda kept: kept.listdir("images"),
    lambda kept: kept.delete("images/a"),
]
REFUSALS = [
    (403, "InvalidAccessKeyId", "does not know the key"),
    (403, "SignatureDoesNotMatch", "does not know the key"),
    (403, "AccessDenied", "does not allow this house's key"),
    (403, "RequestTimeTooSkewed", "clock of this host"),
    (400, "AuthorizationHeaderMalformed", "another region"),
    (404, "NoSuchBucket", "has no bucket of the name"),
    (400, "SomethingNew", "refuses what this house asks"),
]


@pytest.mark.parametrize(("status", "code", "sentence"), REFUSALS)
def test_store_that_refuses_the_house_is_told_by_one_true_sentence_whatever_is_asked(
    settings: Settings, status: int, code: str, sentence: str
) -> None:
    with object_stores.answering(status, code) as url, _kept_at(settings, endpoint_url=url):
        _all_say(StorageRefused, sentence)
        with pytest.raises(SystemExit, match=f"{sentence}.*PRIVATE_STORAGE_OPTIONS"):
            start_check.require_storage()


@pytest.mark.parametrize(
    ("page", "error", "sentence"),
    [
        ("<!doctype html><title>Welcome</title><p>Hello", StorageAway, "does not answer"),
        ("<html><p>Hello</p></html>", StorageRefused, "cannot be one"),
    ],
)
def test_server_that_shows_a_page_whatever_it_is_asked_is_no_storage(
    settings: Settings, monkeypatch: pytest.MonkeyPatch,
    page: str, error: type[StorageAway], sentence: str,
) -> None:  # fmt: skip
    """As a single-page application's does: each name was taken, and the next was tried for ever."""
    monkeypatch.setattr(private_s3, "TRIES", 1)
    shown = object_stores.answering(200, "", page=page)
    with shown as url, _kept_at(settings, endpoint_url=url):
        _all_say(error, sentence)


def test_address_that_sends_elsewhere_for_ever_is_no_crash(settings: Settings) -> None:
    """boto3 asks where it is sent to by a call that is sent there too, as from HTTP to HTTPS."""
    with object_stores.answering(301, "301") as url, _kept_at(settings, endpoint_url=url):
        for act in ACTS[:3]:
            with pytest.raises(StorageAway):
                act(private_storage())


STUMBLES = [
    (503, "SlowDown"),
    (500, "InternalError"),
    (400, "BadDigest"),
    (400, "InvalidDigest"),
    (400, "XAmzContentSHA256Mismatch"),
]


@pytest.mark.parametrize(("status", "code"), STUMBLES)
def test_store_that_stumbles_is_away(
    settings: Settings, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_s3, "TRIES", 1)
    with object_stores.answering(status, code) as url, _kept_at(settings, endpoint_url=url):
        _all_say(StorageAway, "does not answer at the moment")
        start_check.require_storage()


def test_only_a_certificate_that_is_not_trusted_is_told_as_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(private_s3, "TRIES", 1)
    with object_stores.distrusted(tmp_path) as url, _kept_at(settings, endpoint_url=url):
        _all_say(StorageRefused, "certificate of the storage of files is none that this host")
        with pytest.raises(SystemExit, match="certificate"):
            start_check.require_storage()
    with object_stores.hanging_up() as url, _kept_at(settings, endpoint_url=url):
        _all_say(StorageAway, "does not answer at the moment")
        start_check.require_storage()


def test_file_in_an_archive_is_that_files_trouble_alone(
    store: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a storage class from which nothing is read at once: the bucket answers all the rest."""
    digest = content_files.keep("manifests", b"x")
    name = content_files.name_of("manifests", digest)
    bucket = private_storage()
    _refuse(bucket, "GetObject", "InvalidObjectState", unless=lambda asked: False)
    with pytest.raises(ContentMissing, match="in an archive"):
        content_files.read("manifests", digest)
    assert bucket.size(name) == 1
    with pytest.raises(SystemExit):
        call_command("copy_storage", f"--backend={S3}", f"--options={json.dumps(store.options())}")
    assert f"{name}: The storage has this file in an archive" in capsys.readouterr().err


def test_key_that_is_limited_to_the_location_starts_the_house(store: ObjectStore) -> None:
    _refuse(
        private_storage(), "ListObjectsV2", "AccessDenied",
        unless=lambda asked: asked.get("Prefix", "").startswith("media/"),
    )  # fmt: skip
    start_check.require_storage()
    for act in ACTS:
        act(private_storage())


def test_files_under_a_customers_key_are_asked_for_with_it(
    store: ObjectStore, settings: Settings
) -> None:
    """As SSE-C wants it: a store tells nothing of such a file to who does not send the key."""
    sent = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    with object_stores.used(settings, S3, store.options(object_parameters=sent)):
        for name in ("HeadObject", "GetObject", "PutObject"):
            _refuse(
                private_storage(), name, "InvalidRequest",
                unless=lambda asked: "SSECustomerAlgorithm" in asked,
            )  # fmt: skip
        for act in ACTS:
            act(private_storage())


def test_cleaning_up_that_is_refused_hides_nothing(store: ObjectStore) -> None:
    _refuse(private_storage(), "DeleteObject", "AccessDenied", unless=lambda asked: False)
    wanted = WantedInitImage(0.5, "00" * 32, 8, 8, data=b"a picture")
    with pytest.raises(StorageFull), stored_uploads.stored(wanted):
        raise StorageFull
    quarantine.discard("quarantine/a.safetensors")  # goes later, with what no row names


def test_store_that_has_no_room_says_so(settings: Settings) -> None:
    refusing = object_stores.answering(507, "InsufficientStorage")
    with refusing as url, _kept_at(settings, endpoint_url=url), pytest.raises(StorageFull):
        private_storage().save("images/a", ContentFile(b"x"))


def test_bucket_that_is_not_there_has_no_missing_files(
    store: ObjectStore, settings: Settings, alice: User, tiny: BaseModel,
    capsys: pytest.CaptureFixture[str], client: Client,
) -> None:  # fmt: skip
    image = make_image(alice, tiny)
    with _kept_at(settings, endpoint_url=store.url, bucket_name="nowhere"):
        _all_say(StorageRefused, "has no bucket of the name")
        with pytest.raises(StorageRefused):
            content_files.read("manifests", "00" * 32)
        with pytest.raises(CommandError, match="has no bucket of the name"):
            call_command("reconcile_storage")
        client.force_login(alice)
        answer = client.get(f"/images/{image.id}/file/")
        assert answer.status_code == 503
        assert "has no bucket of the name" in answer.content.decode()
    assert "the storage has no" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"endpoint_url": "nothing at all"}, "cannot be one"),
        ({"bucket_name": "No Bucket"}, "cannot be one"),
        ({"access_key": None, "secret_key": None}, "set up with no key"),
    ],
)
def test_settings_that_name_no_storage_are_told_at_the_start(
    settings: Settings, options: dict[str, object], sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    away = {"endpoint_url": "http://127.0.0.1:9"}
    with _kept_at(settings, **{**away, **options}), pytest.raises(SystemExit, match=sentence):
        start_check.require_storage()


def _refuse(
    kept: Storage, operation: str, code: str, *, unless: Callable[[dict[str, str]], bool]
) -> None:
    """Have the bucket say no to it, as moto never does."""

    def answer(params: dict[str, str], **_: object) -> None:
        if not unless(params):
            said = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise ClientError(said, operation)

    assert isinstance(kept, private_s3.PrivateS3)
    events = kept.connection.meta.client.meta.events
    events.register_first(f"before-parameter-build.s3.{operation}", answer)


def _kept_at(settings: Settings, **options: object) -> AbstractContextManager[None]:
    nobody = ObjectStore("http://127.0.0.1:9").options()
    return object_stores.used(settings, S3, {**nobody, **options})


def _all_say(error: type[StorageAway], sentence: str) -> None:
    for act in ACTS:
        with pytest.raises(error, match=sentence) as told:
            act(private_storage())
        assert told.value.code == error.default_code
