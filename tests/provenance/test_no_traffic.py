"""Nothing that somebody submits makes this system call out, wherever it takes a file in."""

import io
from collections.abc import Iterator
from typing import Any

import c2pa
import pytest
from django.test import Client

from provenance.keys import key_folder
from provenance.manifests.content_credentials import Parent
from provenance.manifests.signing_context import signer
from tests.provenance import foreign
from tests.provenance.files import CLAIM, saved
from tests.provenance.pictures import drawing, photograph

# Names that lead to loopback, of which c2pa itself refuses some.
NAMES = ("127.0.0.1", "127.1", "2130706433", "127.0.0.1.", "localhost")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> key_folder.Keyring:
    return key_folder.load_or_make(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def came() -> Iterator[tuple[int, list[str]]]:
    with foreign.listener() as listening:
        yield listening


def naming(host: str, port: int, by: key_folder.Keyring, parent: bytes = b"") -> bytes:
    """A picture whose credentials name an identity that lies on that host."""
    assertions = [foreign.identity(f"did:web:{host}%3A{port}:somebody")]
    told = foreign.opened() if parent else foreign.created()
    return foreign.signed(
        saved(drawing(2, 64), "PNG"),
        "image/png",
        by=by,
        assertions=[told, *assertions],
        parents=[(parent, "image/png")] if parent else [],
    )


def every_file(port: int, by: key_folder.Keyring) -> list[bytes]:
    named = [naming(host, port, by) for host in NAMES]
    return [
        *named,
        naming(NAMES[1], port, by, parent=named[1]),
        foreign.pointing(saved(drawing(2, 64), "PNG"), port),
    ]


def upload(data: bytes) -> dict[str, Any]:
    file = io.BytesIO(data)
    file.name = "a.png"
    return {"file": file}


def test_vector_does_call_out_where_nobody_forbids_it(
    came: tuple[int, list[str]], stranger: key_folder.Keyring
) -> None:
    """Otherwise the tests below would show nothing."""
    port, who = came
    for host in NAMES:
        c2pa.Reader("image/png", io.BytesIO(naming(host, port, stranger)))
    assert who


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/api/v1/verify/", "/verify/", "/sbr/matches/byContent"])
def test_uploaded_file_calls_nobody(
    client: Client, came: tuple[int, list[str]], stranger: key_folder.Keyring, url: str
) -> None:
    port, who = came
    for data in every_file(port, stranger):
        assert client.post(url, upload(data)).status_code == 200
    assert who == []


def test_picture_that_a_request_starts_from_calls_nobody(
    came: tuple[int, list[str]], stranger: key_folder.Keyring
) -> None:
    """Its credentials are read when it becomes a parent."""
    port, who = came
    plain = saved(photograph("coffee", 64), "PNG")
    for data in every_file(port, stranger):
        signed = signer().sign(plain, "image/png", claim=CLAIM, parent=Parent(data, "image/png"))
        assert signer().read(signed.data, "image/png").state == "trusted"
    assert who == []
