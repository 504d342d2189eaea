"""Copies of adapters on a render host: fetched once, whole, and where there is room for them."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import File
from django.test import Client
from pytest_django.fixtures import Settings

from adapters.models import BaseModel
from config.core.content_files import ContentAltered
from config.storage.private_s3 import PrivateS3
from generation.request_rules import failures
from generation.request_rules.parameters import RequestParameters
from generation.requests import storage_room, submitting
from generation.work import adapter_files, worker
from tests.factories import make_request
from tests.fakes import FrozenClock
from tests.generation.object_stores import ObjectStore, ask, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("image_classifier")]
AsUser = Callable[[User], Client]


def test_copy_on_a_render_host_is_fetched_once_and_only_used_as_what_it_is(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, settings: Settings,
) -> None:  # fmt: skip
    adapter = upload(as_user(alice), lora, clock=clock)
    copy = adapter_files.path_of(adapter)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == copy.stem
    store.put(str(adapter.file.name), b"something else")
    assert adapter_files.path_of(adapter) == copy  # asks nobody
    copy.unlink()
    with pytest.raises(ContentAltered):
        adapter_files.path_of(adapter)
    assert [path.name for path in copy.parent.iterdir()] == ["lock"]


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
    settings.PROOFSHEET_ADAPTER_CACHE_MAX_BYTES = adapter.file.size + 1500
    kept = adapter_files.path_of(adapter)
    left = {path.name for path in folder.iterdir()}
    assert left == {kept.name, "1.safetensors", "lock"}


def test_host_whose_disk_is_nearly_full_drops_other_copies_and_not_the_request(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, settings: Settings, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    adapter = upload(as_user(alice), lora, clock=clock)
    folder = Path(settings.PROOFSHEET_ADAPTER_CACHE_DIR)
    folder.mkdir()
    old = folder / "old.safetensors"
    old.write_bytes(bytes(1000))
    os.utime(old, (0, 0))
    monkeypatch.setattr(adapter_files, "_free_bytes", lambda _: 0 if old.exists() else 10**9)
    assert adapter_files.path_of(adapter).exists()
    assert not old.exists()


def test_many_processes_that_want_copies_where_there_is_room_for_one_each_read_a_whole_one(
    store: ObjectStore, settings: Settings
) -> None:
    """As threads that share nothing but the folder; a copy may go between two of their looks."""
    settings.PROOFSHEET_ADAPTER_CACHE_MAX_BYTES = 1
    contents = [bytes([number]) * 200_000 for number in range(4)]
    names = [f"adapters/{hashlib.sha256(each).hexdigest()}.safetensors" for each in contents]
    for name, content in zip(names, contents, strict=True):
        store.put(name, content)
    wanted = names * 16
    random.Random(5).shuffle(wanted)

    def read(name: str) -> bool:
        return hashlib.sha256(adapter_files.copy_of(name).read_bytes()).hexdigest() in name

    with ThreadPoolExecutor(8) as at_once:
        assert all(at_once.map(read, wanted))
    left = {path.suffix for path in Path(settings.PROOFSHEET_ADAPTER_CACHE_DIR).iterdir()}
    assert left == {".safetensors", ""}


def test_room_is_made_before_the_file_comes_and_for_both_places_that_it_passes(
    store: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that has room for both once what nobody uses is gone."""
    content = bytes(200_000)
    name = _put(store, content)
    folder = Path(settings.PROOFSHEET_ADAPTER_CACHE_DIR)
    folder.mkdir()
    old = folder / "old.safetensors"
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    opened: Callable[..., File[bytes]] = PrivateS3.open

    def on_disk(storage: PrivateS3, wanted: str, mode: str = "rb") -> File[bytes]:
        if old.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(storage, wanted, mode)

    monkeypatch.setattr(PrivateS3, "open", on_disk)
    free = 1.5 * len(content)
    monkeypatch.setattr(adapter_files, "_free_bytes", lambda _: free if old.exists() else 2 * free)
    assert adapter_files.copy_of(name).read_bytes() == content


def test_host_without_room_rests_while_the_house_goes_on_and_its_request_ends_with_the_reason(
    store: ObjectStore, tiny: BaseModel, lora: bytes, alice: User, as_user: AsUser,
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    request = ask(alice, tiny, upload(as_user(alice), lora, clock=clock))
    monkeypatch.setattr(adapter_files, "_free_bytes", lambda _: 0)
    for attempt in (1, 2):
        assert worker.work_one(now=clock)
        request.refresh_from_db()
        assert (request.status, request.attempts) == ("queued", attempt)
        assert not worker.work_one(now=clock)  # others have the time to take it
        submitting.submit(RequestParameters(prompt="an apple"), by=alice, at=clock())
        clock.forward(storage_room.BELIEVED_FOR.total_seconds() + 1)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "adapter_cache_full")
    assert "no room for the file of an adapter" in failures.explain(request.code).message
    bare = make_request(alice, tiny)
    clock.forward(storage_room.BELIEVED_FOR.total_seconds() + 1)
    assert worker.work_one(now=clock)
    bare.refresh_from_db()
    assert bare.status == "finished"


def test_disk_that_fills_while_a_copy_is_written_is_the_hosts_own(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _put(store, bytes(1000))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(failures.AdapterCacheFull):
        adapter_files.copy_of(name)


def test_who_begins_as_another_ends_keeps_the_file_that_it_writes(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, put_away = _put(store, bytes(1000)), Path.replace
    with ExitStack() as other:

        def replace(part: Path, copy: Path) -> Path:
            there = put_away(part, copy)
            other.enter_context(adapter_files._only_one(part))
            return there

        monkeypatch.setattr(Path, "replace", replace)
        copy = adapter_files.copy_of(name)
        assert copy.with_suffix(".part").exists()
    assert [path.name for path in copy.parent.glob("*.part")] == []


def test_who_looked_just_before_the_copy_came_does_not_fetch_it_again(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(1000)
    name, looked = _put(store, content), adapter_files._is_used

    def looked_before(copy: Path) -> bool:
        monkeypatch.setattr(adapter_files, "_is_used", looked)
        was_there = looked(copy)
        adapter_files.copy_of(name)
        store.put(name, b"what a second fetch would refuse")
        return was_there

    monkeypatch.setattr(adapter_files, "_is_used", looked_before)
    assert adapter_files.copy_of(name).read_bytes() == content


def _put(store: ObjectStore, content: bytes) -> str:
    name = f"adapters/{hashlib.sha256(content).hexdigest()}.safetensors"
    store.put(name, content)
    return name
