"""A disk that fills: no half file stays, nothing more is let in, and what was accepted is made once
there is room."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from pytest_django import Settings

from adapters.models import BaseModel
from config.core.disk_full import StorageFull
from generation.models import GeneratedImage, private_storage
from generation.request_rules.parameters import RequestParameters
from generation.requests import submitting
from generation.work import worker
from provenance.models import LogEntry
from tests.factories import make_request
from tests.fakes import FakeImageClassifier, FrozenClock


@pytest.mark.django_db(transaction=True)
def test_an_image_that_finds_no_room_leaves_no_half_file_and_is_made_once_there_is(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[Path] = []

    def run_out(storage: FileSystemStorage, name: str, content: Any) -> str:
        path = Path(storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(1000))
        begun.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    request = make_request(alice, tiny)
    with monkeypatch.context() as full:
        full.setattr(type(private_storage()), "_save", run_out)
        assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code, request.attempts) == ("queued", "", 0)
    assert len(begun) == 1
    assert not begun[0].exists()
    assert not GeneratedImage.objects.exists()
    assert not LogEntry.objects.filter(kind="asset.marked").exists()
    assert not worker.work_one(now=clock)  # draws nothing that could not be kept
    clock.forward(31)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("finished", 1)


@pytest.mark.django_db
def test_a_full_folder_lets_nothing_in_and_draws_nothing(
    alice: User, model: BaseModel, clock: FrozenClock, settings: Settings
) -> None:
    waiting = make_request(alice, model)
    settings.PROOFSHEET_STORAGE_FREE_MIN_MB = 2**40
    with pytest.raises(StorageFull, match="none is taken on now"):
        submitting.submit(RequestParameters(prompt="an apple"), by=alice, at=clock())
    assert not worker.work_one(now=clock)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == ("queued", 0)
    settings.PROOFSHEET_STORAGE_FREE_MIN_MB = 0
    assert submitting.submit(RequestParameters(prompt="an apple"), by=alice, at=clock()).is_new
