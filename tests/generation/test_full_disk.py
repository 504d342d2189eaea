"""A disk that fills while an image is stored: its owner is told, and no half file stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage

from adapters.models import BaseModel
from generation.models import GeneratedImage, private_storage
from generation.request_rules.failures import explain
from generation.work import worker
from provenance.models import LogEntry
from tests.factories import make_request
from tests.fakes import FakeImageClassifier, FrozenClock


@pytest.mark.django_db(transaction=True)
def test_an_image_that_finds_no_room_fails_by_its_code_and_leaves_no_half_file(
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

    monkeypatch.setattr(type(private_storage()), "_save", run_out)
    request = make_request(alice, tiny)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "storage_full")
    assert "no room" in explain(request.code).message
    assert len(begun) == 1
    assert not begun[0].exists()
    assert not GeneratedImage.objects.exists()
    assert not LogEntry.objects.filter(kind="asset.marked").exists()
