"""Rows are their owner's, and a stored file is a path while it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage

from adapters.models import Adapter, AdapterShare
from config.core.ownership import OwnedRows
from config.core.storage import local_copy
from tests.factories import NOON, make_adapter, make_model


class Elsewhere(Storage):
    """Has no folder, and says so."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def _open(self, name: str, mode: str = "rb") -> ContentFile[bytes]:
        if name not in self.kept:
            raise FileNotFoundError(name)
        return ContentFile(self.kept[name])


class Opened(OwnedRows[AdapterShare]):
    owner = "user"


class OfOwnAdapters(OwnedRows[AdapterShare]):
    owner = "adapter__owner"


@pytest.mark.django_db
def test_rows_are_found_for_their_owner_alone(alice: User, bob: User) -> None:
    model = make_model()
    hers = make_adapter(model, owner=alice)
    shipped = make_adapter(model, slug="shipped")
    share = AdapterShare.objects.create(
        adapter=hers, user=bob, share_key=hers.share_key, opened_at=NOON
    )
    assert set(Adapter.objects.owned_by(alice)) == {hers}
    assert not Adapter.objects.owned_by(bob).exists()
    assert shipped not in Adapter.objects.owned_by(AnonymousUser())
    assert list(Opened(AdapterShare).visible_to(bob)) == [share]
    assert not Opened(AdapterShare).visible_to(alice).exists()
    assert list(OfOwnAdapters(AdapterShare).visible_to(alice)) == [share]
    assert not OfOwnAdapters(AdapterShare).visible_to(AnonymousUser()).exists()


def test_a_file_in_a_folder_is_read_where_it_lies(tmp_path: Path) -> None:
    storage = FileSystemStorage(tmp_path)
    name = storage.save("a.safetensors", ContentFile(b"layers"))
    with local_copy(name, storage) as path:
        assert path == tmp_path / name
    assert path.read_bytes() == b"layers"


def test_a_file_elsewhere_is_copied_and_the_copy_deleted() -> None:
    storage = Elsewhere()
    storage.kept["a.safetensors"] = b"layers"
    with local_copy("a.safetensors", storage) as path:
        assert path.read_bytes() == b"layers"
        assert path.suffix == ".safetensors"
    assert not path.exists()
    assert storage.kept


def test_a_file_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), local_copy("none", Elsewhere()):
        raise AssertionError("there is nothing to read")
