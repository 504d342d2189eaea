"""The bundle's checker as one file: on a bare Python, and of one mind with the other one."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from config.core.errors import ProofsheetError
from provenance.keys.installed_keys import keyring
from provenance.log import cosigning
from provenance.log.formats import checkpoint, merkle
from provenance.offline import bundle_check, bundle_export, bundle_format, provenance_offline
from provenance.offline.bundle_check import Trusted
from provenance.witness import witness_server
from tests.provenance.conftest import NOW, Marked
from tests.provenance.conftest import house as house
from tests.provenance.pictures import drawing

FILE = Path(provenance_offline.__file__)
ORIGIN = "localhost/proofsheet"
Mark = Callable[[NDArray[np.uint8]], Marked]


@pytest.fixture
def bundle(mark: Mark) -> bytes:
    for seed in (2, 4, 6, 8):
        mark(drawing(seed, 64))
    marked = mark(drawing(10, 64))
    return bundle_export.bundle_of(marked.id, image=marked.sealed.data)


def log_key() -> str:
    return checkpoint.verifier_key(ORIGIN, keyring().log_key.public_key())


def run(*arguments: str) -> tuple[int, str]:
    """On a Python without packages, started somewhere else."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(FILE), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    return done.returncode, done.stdout + done.stderr


def test_it_holds_on_a_bare_python(bundle: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.bundle"
    path.write_bytes(bundle)
    code, said = run(str(path), "--log-key", log_key())
    assert code == 0, said
    assert "The entry is about this very picture." in said
    assert "Not checked here: certificates" in said
    code, said = run(str(path))
    assert code == 3
    assert "the word of whoever made the bundle" in said
    other = checkpoint.verifier_key(ORIGIN, Ed25519PrivateKey.generate().public_key())
    assert run(str(path), "--log-key", other)[0] == 1
    path.write_bytes(bundle[:-1])
    assert run(str(path), "--log-key", log_key())[0] == 2
    assert run(str(tmp_path / "none"))[0] == 2


def test_no_changed_byte_gets_through_either_reader(bundle: bytes) -> None:
    places = [*range(0, len(bundle), 97), *range(len(bundle) - 900, len(bundle), 7)]
    for place in places:
        spoilt = bytearray(bundle)
        spoilt[place] ^= 1
        with pytest.raises((provenance_offline.Broken, provenance_offline.NotABundle)):
            provenance_offline.verify(bytes(spoilt))
        with pytest.raises(ProofsheetError):
            bundle_check.verify(bytes(spoilt), trusted=Trusted())


def test_parts_of_two_bundles_do_not_hold_together(mark: Mark, bundle: bytes) -> None:
    marked = mark(drawing(12, 64))
    one = bundle_format.read(bundle)
    two = bundle_format.read(bundle_export.bundle_of(marked.id, image=marked.sealed.data))
    for name in ("image.png", "manifest.c2pa", "entry.tlog-proof"):
        mixed = bundle_format.write(one | {name: two[name]})
        with pytest.raises(provenance_offline.Broken):
            provenance_offline.verify(mixed)


def test_witness_is_asked_for_by_its_key(
    house: witness_server.WitnessService, mark: Mark, tmp_path: Path
) -> None:
    marked = mark(drawing(2, 64))
    cosigning.collect(at=NOW)
    bundle = bundle_export.bundle_of(marked.id)
    told = provenance_offline.verify(bundle, None, log_key(), (house.verifier_key,))
    assert any(f"The witness {house.verifier_key} saw that tree" in each for each in told)
    assert "No picture is here" in told[-1]
    assert provenance_offline.verify(bundle, marked.sealed.data)[-1].endswith("very picture.")
    with pytest.raises(provenance_offline.Broken, match="No cosignature"):
        provenance_offline.verify(bundle, None, None, ("else+00000000+AAAA",))


def test_picture_that_is_named_is_the_one_that_is_judged(
    bundle: bytes, tmp_path: Path, mark: Mark
) -> None:
    other = mark(drawing(12, 64)).sealed.data
    (tmp_path / "a.bundle").write_bytes(bundle)
    (tmp_path / "other.png").write_bytes(other)
    named = "--image", str(tmp_path / "other.png")
    assert run(str(tmp_path / "a.bundle"), "--log-key", log_key(), *named)[0] == 1
    with pytest.raises(bundle_check.BundleInvalid, match="that you named"):
        bundle_check.verify(bundle, image=other, trusted=Trusted())
    files = bundle_format.read(bundle)
    same = files["image.png"]
    assert provenance_offline.verify(bundle, same)[-1].endswith("very picture.")
    assert bundle_check.verify(bundle, image=same, trusted=Trusted())


def test_bundle_of_two_pictures_is_none(bundle: bytes) -> None:
    two = bundle_format.write(bundle_format.read(bundle) | {"image.jpg": b"else"})
    with pytest.raises(provenance_offline.NotABundle):
        provenance_offline.verify(two)
    with pytest.raises(bundle_format.BundleUnreadable):
        bundle_check.verify(two, trusted=Trusted())


def test_time_is_read_where_python_knows_no_z(monkeypatch: pytest.MonkeyPatch) -> None:
    class Older(datetime):
        @classmethod
        def fromisoformat(cls, text: str) -> Self:
            if text.endswith("Z"):
                raise ValueError(text)
            return super().fromisoformat(text)

    monkeypatch.setattr(provenance_offline, "datetime", Older)
    assert provenance_offline.unix_time_of("1970-01-02T00:00:00.000000Z") == 86400


def test_what_cannot_be_is_told_in_a_sentence(
    bundle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("image.png", bytes(1000))
    spoilt = packed.getvalue().replace(b"\x5d\0\0\x80\0", b"\xff\0\0\x80\0", 1)
    with pytest.raises(provenance_offline.NotABundle):
        provenance_offline.verify(spoilt)
    with pytest.raises(bundle_format.BundleUnreadable):
        bundle_format.read(spoilt)
    with pytest.raises(provenance_offline.Broken, match="a time"):
        provenance_offline.moment(2**63)
    whole = provenance_offline.canonical
    for name, value in (("subject", None), ("at", "0001-01-01T00:00:00+23:00"), ("at", 1)):
        changed = {name: value} if value else {}

        def canonical(data: bytes, name: str = name, new: dict[str, Any] = changed) -> Any:
            return {each: said for each, said in whole(data).items() if each != name} | new

        monkeypatch.setattr(provenance_offline, "canonical", canonical)
        with pytest.raises(provenance_offline.Broken):
            provenance_offline.verify(bundle)


def test_readme_is_the_one_that_bundles_hold() -> None:
    digest = sha256(bundle_format.EXPLANATION.encode()).hexdigest()
    assert digest == provenance_offline.README_SHA256


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_signatures_are_judged_as_the_library_judges_them(
    seed: bytes, message: bytes, bit: int
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert provenance_offline.is_signed(public, message, signature)
    spoilt = (int.from_bytes(signature) ^ 1 << bit).to_bytes(64)
    assert not provenance_offline.is_signed(public, message, spoilt)
    assert not provenance_offline.is_signed(public, message + b"x", signature)


def test_every_size_of_a_tree_is_proved() -> None:
    leaves = [merkle.leaf_hash(bytes([each])) for each in range(20)]
    for size in range(1, 20):
        frontier = merkle.Frontier()
        digests: dict[merkle.Place, bytes] = {}
        for leaf in leaves[:size]:
            digests |= dict(frontier.append(leaf))
        for index in range(size):
            path = merkle.proof_from(merkle.inclusion_ranges(index, size), digests)
            found = provenance_offline.root_of(leaves[index], index, size, path)
            assert found == frontier.root()
            if path:
                with pytest.raises(provenance_offline.Broken):
                    provenance_offline.root_of(leaves[index], index, size, path[1:])
