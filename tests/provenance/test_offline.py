"""The proof bundle: it holds without the system, and not one changed byte gets through."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from provenance import bundle, checkpoint, export, offline
from provenance.errors import ProofsheetError
from provenance.installation import keyring
from provenance.offline import Trusted
from tests.provenance.conftest import Marked
from tests.provenance.pictures import drawing

TAKE_ITS_WORD = Trusted()


@pytest.fixture
def small(mark: Callable[[NDArray[np.uint8]], Marked]) -> Marked:
    for seed in (2, 4):
        mark(drawing(seed, 64))
    return mark(drawing(6, 64))


def test_bundle_holds_in_a_process_without_django(small: Marked, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(small.sealed.data)
    out = tmp_path / "a.bundle"
    call_command(
        "export_bundle", str(small.id), "--out", str(out), "--image", str(tmp_path / "a.png")
    )
    script = (
        "import sys; sys.argv = ['offline', sys.argv[1]]; from provenance import offline; "
        "code = offline.main(); assert 'django' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Everything holds." in done.stdout
    assert "about this very picture" in done.stdout


def test_every_changed_byte_is_caught(small: Marked) -> None:
    data = export.bundle_of(small.id, image=small.sealed.data)
    offline.verify(data, trusted=TAKE_ITS_WORD)
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(ProofsheetError):
            offline.verify(changed, trusted=TAKE_ITS_WORD)


def test_every_changed_byte_inside_a_file_is_caught(small: Marked) -> None:
    """As one would who rewrites the archive around the change."""
    files = bundle.read(export.bundle_of(small.id, image=small.sealed.data))
    for name, content in files.items():
        step = 1 if name != bundle.IMAGE else 7
        for place in range(0, len(content), step):
            changed = content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :]
            with pytest.raises(ProofsheetError):
                offline.verify(bundle.write(files | {name: changed}), trusted=TAKE_ITS_WORD)


def test_bundle_without_picture_proves_its_hash(small: Marked) -> None:
    data = export.bundle_of(small.id)
    said = offline.verify(data, trusted=TAKE_ITS_WORD)
    assert small.sealed.sha256 in said[-1]
    offline.verify(data, image=small.sealed.data, trusted=TAKE_ITS_WORD)
    with pytest.raises(offline.BundleInvalid, match="another picture"):
        offline.verify(data, image=b"other", trusted=TAKE_ITS_WORD)


def test_keys_that_the_reader_knows_must_be_those_of_the_bundle(small: Marked) -> None:
    data = export.bundle_of(small.id)
    key = checkpoint.verifier_key("localhost/proofsheet", keyring().log_key.public_key())
    offline.verify(data, trusted=Trusted(log_key=key))
    for wrong in (Trusted(log_key="other"), Trusted(authority_sha256="0" * 64)):
        with pytest.raises(offline.BundleInvalid, match="not the one you trust"):
            offline.verify(data, trusted=wrong)


def test_export_refuses_another_file_and_an_unknown_id(small: Marked, tmp_path: Path) -> None:
    with pytest.raises(export.AnotherFile):
        export.bundle_of(small.id, image=b"other")
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(CommandError, match="No picture with that id"):
        call_command("export_bundle", unknown, "--out", str(tmp_path / "x"))


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 1000, bundle.write({"a": b"b"})])
def test_other_files_are_no_bundle(data: bytes) -> None:
    with pytest.raises(bundle.BundleUnreadable):
        offline.verify(data, trusted=TAKE_ITS_WORD)
