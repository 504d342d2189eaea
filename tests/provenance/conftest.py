"""Marked pictures, as the worker makes them: embedded, sealed, recorded and put into the log."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_django.fixtures import Settings

from provenance.assets import marking
from provenance.keys.installed_keys import keyring
from provenance.log import transparency_log
from provenance.log.formats import checkpoint
from provenance.models import Asset
from provenance.witness import witness_server
from tests.provenance.pictures import photograph

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WITNESS = "witness.example/one"
SYSTEM = marking.SystemInfo("Proofsheet", "0.1.0", "starter")


@dataclass(frozen=True)
class Marked:
    """A marked picture: its pixels, its signed file, and its record where it has one."""

    id: UUID
    pixels: NDArray[np.uint8]
    sealed: marking.SealedImage
    asset: Asset | None


def seal(pixels: NDArray[np.uint8]) -> Marked:
    asset_id = uuid4()
    marked = marking.embed(pixels, asset_id=asset_id)
    sealed = marking.seal(marked, asset_id=asset_id, created_at=NOW, system=SYSTEM)
    return Marked(asset_id, marked.pixels, sealed, None)


def record(marked: Marked) -> Marked:
    asset = marking.record(marked.sealed, asset_id=marked.id, owner_pseudonym="p", at=NOW)
    return Marked(marked.id, marked.pixels, marked.sealed, asset)


@pytest.fixture
def mark(db: None) -> Callable[[NDArray[np.uint8]], Marked]:
    """`mark(pixels)`: marked, recorded, and in the log's signed tree."""

    def make(pixels: NDArray[np.uint8]) -> Marked:
        marked = record(seal(pixels))
        transparency_log.sequence(at=NOW)
        return marked

    return make


@pytest.fixture
def astronaut(mark: Callable[[NDArray[np.uint8]], Marked]) -> Marked:
    return mark(photograph("astronaut"))


@contextmanager
def other_process(keys_folder: Path, answer: str) -> Iterator[Callable[[], list[str]]]:
    """A worker that has the keys loaded, in a process of its own: each call of what is yielded runs
    the line `answer` there, where `ring` is its keyring, and returns the words that it prints.
    """
    script = (
        "import sys; from django.conf import settings\n"
        "settings.configure(PROOFSHEET_KEYS_DIR=sys.argv[1], PROOFSHEET_TSA_URL='',"
        " PROOFSHEET_C2PA={'certificates': ''})\n"
        "from provenance.keys.installed_keys import keyring\n"
        "from provenance.keys import certificates\n"
        "for line in sys.stdin:\n"
        f"    ring = keyring()\n    print({answer}, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(keys_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        stdin, stdout = worker.stdin, worker.stdout

        def asked() -> list[str]:
            print(file=stdin, flush=True)
            return stdout.readline().split()

        yield asked
        stdin.close()


@contextmanager
def served(made: witness_server.WitnessService) -> Iterator[str]:
    listening = witness_server.WitnessServer(made, "127.0.0.1", 0)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}/"
    finally:
        listening.shutdown()
        listening.server_close()


@pytest.fixture
def house(tmp_path: Path, settings: Settings, db: None) -> Iterator[witness_server.WitnessService]:
    """This house's log with a witness that watches it, over HTTP."""
    known = checkpoint.verifier_key(settings.PROOFSHEET_LOG_ORIGIN, keyring().log_key.public_key())
    made = witness_server.opened(WITNESS, tmp_path / "witness", [known])
    with served(made) as url:
        settings.PROOFSHEET_LOG_WITNESSES = [f"{made.verifier_key} {url}"]
        yield made


def grow(count: int) -> None:
    for _ in range(count):
        transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=NOW)
    transparency_log.sequence(at=NOW)
