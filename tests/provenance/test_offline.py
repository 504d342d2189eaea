"""The proof bundle: it holds without the system, and not one changed byte gets through."""

import base64
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from pytest_django.fixtures import Settings

from config.core.errors import ProofsheetError
from provenance.assets import marking
from provenance.keys import certificates, key_folder
from provenance.keys.installed_keys import keyring
from provenance.log import cosigning, timestamping, transparency_log
from provenance.log.formats import canonical_json, checkpoint, proof_file
from provenance.manifests.content_credentials import Parent, Reader, Signer, Trust
from provenance.offline import bundle_check, bundle_export, bundle_format, command_line
from provenance.offline.bundle_check import Trusted
from provenance.witness import witness_server
from tests.provenance.conftest import NOW, SYSTEM, Marked, seal
from tests.provenance.conftest import served as witness_served
from tests.provenance.files import CLAIM, saved
from tests.provenance.pictures import drawing
from tests.provenance.test_timestamps import short_lived
from tests.provenance.tsa import Authority
from tests.provenance.tsa import served as tsa_served

ORIGIN = "localhost/proofsheet"

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
        "import sys; from provenance.offline import bundle_check; "
        "code = bundle_check.main(); assert 'django' not in sys.modules; sys.exit(code)"
    )
    key = checkpoint.verifier_key(ORIGIN, keyring().log_key.public_key())
    done = subprocess.run(
        [sys.executable, "-c", script, str(out), "--log-key", key],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Everything holds." in done.stdout
    assert "about this very picture" in done.stdout


@pytest.mark.parametrize(
    ("named", "code", "word"),
    [
        ((), 3, "whose log and whose authority that is, is the word of whoever made the bundle"),
        (("--authority",), 3, "That the log is whose it says"),
        (("--log-key",), 0, "Everything holds."),
        (("--log-key", "--authority"), 0, "Everything holds."),
        (("--log-key", "--revoked=12345"), 0, "Everything holds."),
        (("--log-key", "--revoked=SERIAL"), 1, ""),
        (("--log-key", "--revoked=DECIMAL"), 1, ""),
        (("--log-key", "--distrusted=AUTHORITY=2020-01-01"), 1, ""),
    ],
)
def test_command_says_whose_word_it_is(
    small: Marked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    named: tuple[str, ...],
    code: int,
    word: str,
) -> None:
    """Nobody's own log and authority read as "Everything holds."."""
    path = tmp_path / "a.bundle"
    path.write_bytes(bundle_export.bundle_of(small.id, image=small.sealed.data))
    known = {
        "--log-key": checkpoint.verifier_key(ORIGIN, keyring().log_key.public_key()),
        "--authority": bundle_format.digest_of_pem(
            bundle_format.read(path.read_bytes())[bundle_format.AUTHORITY]
        ),
    }
    pem = bundle_format.read(path.read_bytes())[bundle_format.AUTHORITY]
    serial = certificates.leaf_of(keyring().certificate_chain_pem).serial_number
    for word_of_it, said_so in (
        ("AUTHORITY", bundle_format.digest_of_pem(pem).upper()),
        ("SERIAL", f"{serial:X}"),
        ("DECIMAL", str(serial)),
    ):
        named = tuple(name.replace(word_of_it, said_so) for name in named)
    options = [part for name in named for part in (name, known.get(name, "")) if part]
    monkeypatch.setattr(sys, "argv", ["offline", str(path), *options])
    assert bundle_check.main() == code
    said = capsys.readouterr().out
    assert word in said
    assert ("Everything holds." in said) is (code == 0)


@pytest.mark.parametrize(
    "option",
    [
        "--log-key=nonsense",
        "--log-key=",
        "--authority=abc",
        "--witness=nonsense",
        "--revoked=4G",
        "--distrusted=2020-01-01",
        "--distrusted=" + "a" * 64 + "=yesterday",
    ],
)
def test_a_slip_on_the_command_line_is_no_verdict_on_the_bundle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["offline", "a.bundle", option])
    with pytest.raises(SystemExit) as ended:
        bundle_check.main()
    assert ended.value.code == 2
    assert "that is no" in capsys.readouterr().err


def test_serial_numbers_are_read_as_openssl_and_browsers_show_them() -> None:
    for text in ("serial=4F3A", "4f:3a", "0x4F3A"):
        assert command_line.serials(text) == ("20282",)
    assert command_line.serials("12") == ("18", "12")


def test_help_tells_what_each_exit_means(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["offline", "--help"])
    with pytest.raises(SystemExit):
        bundle_check.main()
    said = " ".join(capsys.readouterr().out.split())
    assert "3 when all of it holds, but only by the word of whoever made the bundle" in said


@contextmanager
def seen_by_others(settings: Settings, folder: Path) -> Iterator[None]:
    """Inside, a witness and a timestamping authority run that settings name."""
    authority = Authority()
    (folder / "tsa.pem").write_text(authority.root_pem)
    known = checkpoint.verifier_key(ORIGIN, keyring().log_key.public_key())
    watcher = witness_server.opened("witness.example", folder / "witness", [known])
    with tsa_served(authority) as tsa_url, witness_served(watcher) as url:
        settings.PROOFSHEET_TSA_URL = tsa_url
        settings.PROOFSHEET_TSA_CERTIFICATES = str(folder / "tsa.pem")
        settings.PROOFSHEET_LOG_WITNESSES = [f"{watcher.verifier_key} {url}"]
        yield


def dated_bundle(*, written_at: datetime) -> bytes:
    """The bundle of a picture whose checkpoint the others have seen."""
    for seed in (2, 4, 6):
        marked = seal(drawing(seed, 64))
        sealed, pseudonym = marked.sealed, "p"
        marking.record(sealed, asset_id=marked.id, owner_pseudonym=pseudonym, at=written_at)
    now = datetime.now(UTC)
    transparency_log.sequence(at=now)
    assert cosigning.collect(at=now) == 1
    assert timestamping.stamp(at=now)
    return bundle_export.bundle_of(marked.id, image=sealed.data)


@pytest.fixture
def whole(settings: Settings, tmp_path: Path, db: None) -> Iterator[bytes]:
    with seen_by_others(settings, tmp_path):
        yield dated_bundle(written_at=NOW)


def test_whole_bundle_names_witness_and_time(whole: bytes) -> None:
    said = " ".join(bundle_check.verify(whole, trusted=TAKE_ITS_WORD))
    assert "The witness witness.example+" in said
    assert "says CN=Timestamping unit 1" in said
    files = bundle_format.read(whole)
    key = canonical_json.decode(files[bundle_format.POLICY])["witnesses"][0]
    bundle_check.verify(whole, trusted=Trusted(witnesses=(key,)))
    with pytest.raises(bundle_check.BundleInvalid, match="No cosignature by"):
        bundle_check.verify(whole, trusted=Trusted(witnesses=(key, "other+key")))


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_every_changed_byte_is_caught(whole: bytes, flip: int) -> None:
    bundle_check.verify(whole, trusted=TAKE_ITS_WORD)
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
        with pytest.raises(ProofsheetError):
            bundle_check.verify(changed, trusted=TAKE_ITS_WORD)


# A flipped bit can make a certificate's serial number negative, which cryptography warns of.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.slow
def test_every_changed_byte_inside_a_file_is_caught(whole: bytes) -> None:
    """As one would who rewrites the archive around the change."""
    files = bundle_format.read(whole)
    for name, content in files.items():
        for place in range(0, len(content), 1 if len(content) < 4000 else 7):
            changed = content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :]
            with pytest.raises(ProofsheetError):
                bundle_check.verify(
                    bundle_format.write(files | {name: changed}), trusted=TAKE_ITS_WORD
                )


def rewritten(whole: bytes, **said: object) -> bytes:
    """The bundle with another policy, as somebody would write it who can."""
    files = bundle_format.read(whole)
    policy = canonical_json.decode(files[bundle_format.POLICY]) | said
    return bundle_format.write(files | {bundle_format.POLICY: canonical_json.encode(policy)})


def proof_in(whole: bytes) -> proof_file.Proof:
    return proof_file.read(bundle_format.read(whole)[bundle_format.PROOF].decode())


def with_proof(whole: bytes, proof: proof_file.Proof) -> bytes:
    text = proof_file.write(proof)
    return bundle_format.write(bundle_format.read(whole) | {bundle_format.PROOF: text.encode()})


def refusal(data: bytes, trusted: Trusted = TAKE_ITS_WORD) -> ProofsheetError:
    with pytest.raises(ProofsheetError) as told:
        bundle_check.verify(data, trusted=trusted)
    return told.value


def test_signature_that_nobody_reads_is_refused(whole: bytes) -> None:
    proof = proof_in(whole)
    stranger = "\u2014 stranger.example " + "A" * 100 + "\n"
    told = refusal(with_proof(whole, replace(proof, note=proof.note + stranger)))
    assert "of a stranger" in told.message
    assert refusal(rewritten(whole, witnesses=[])).code == "bundle_invalid"


@pytest.mark.parametrize("kind", [b"\x02", b"\x04", b"\x06", b"\xff"])
def test_confusion_of_algorithms_in_the_note_is_refused(whole: bytes, kind: bytes) -> None:
    """A good signature by the log's key, under the id of another algorithm."""
    key, proof = keyring().log_key, proof_in(whole)
    text = checkpoint.parse(proof.note).text()
    signature = checkpoint.key_id(ORIGIN, key.public_key(), kind) + key.sign(text.encode())
    line = f"\u2014 {ORIGIN} {base64.b64encode(signature).decode()}"
    note = checkpoint.with_lines(proof.note, [line, *proof.note.splitlines()[5:]])
    assert refusal(with_proof(whole, replace(proof, note=note))).code == "checkpoint_invalid"
    named = checkpoint.verifier_key(ORIGIN, key.public_key(), kind)
    assert "another algorithm" in refusal(rewritten(whole, log_key=named)).message


def test_checkpoint_of_another_log_is_refused(whole: bytes) -> None:
    proof = proof_in(whole)
    head = replace(checkpoint.parse(proof.note), origin="example.org/other")
    note = checkpoint.sign(head, key=keyring().log_key)
    assert "another log" in refusal(with_proof(whole, replace(proof, note=note))).message


def test_proof_of_another_leaf_is_refused(whole: bytes) -> None:
    proof, other = proof_in(whole), transparency_log.prove_inclusion(0)
    for wrong in (
        replace(proof, index=0),
        replace(proof, path=other.path),
        replace(proof, body=other.body),
        replace(proof, body=other.body, path=other.path),
    ):
        assert refusal(with_proof(whole, wrong)).code == "inclusion_proof_invalid"
    sound = replace(proof, index=0, body=other.body, path=other.path)
    told = refusal(with_proof(whole, sound))
    assert "not the one that the entry is about" in told.message


def test_clock_that_ran_ahead_of_everybody_else_s_is_told(
    settings: Settings, tmp_path: Path, db: None
) -> None:
    """From the log's point of view, witness and authority live in the past."""
    with seen_by_others(settings, tmp_path):
        data = dated_bundle(written_at=datetime.now(UTC) + timedelta(days=1))
    told = refusal(data)
    assert (told.code, "one of the clocks is wrong" in told.message) == ("clock_wrong", True)


def test_revoked_signer_has_a_verdict_of_its_own(whole: bytes) -> None:
    serial = str(certificates.leaf_of(keyring().certificate_chain_pem).serial_number)
    told = refusal(whole, Trusted(revoked=(serial,)))
    assert (told.code, "was revoked" in told.message) == ("signer_revoked", True)
    bundle_check.verify(whole, trusted=Trusted(revoked=("12345",)))


def test_unknown_signer_has_a_verdict_of_its_own(whole: bytes, tmp_path: Path) -> None:
    """The bundle names an authority that did not issue the signer's certificate."""
    other = key_folder.load_or_make(tmp_path / "other").authority_pem.encode()
    digest = bundle_format.digest_of_pem(other)
    files = bundle_format.read(rewritten(whole, authority_sha256=digest)) | {
        bundle_format.AUTHORITY: other
    }
    told = refusal(bundle_format.write(files))
    assert (told.code, "does not vouch" in told.message) == ("signer_unknown", True)


def test_expired_signer_has_a_verdict_of_its_own(settings: Settings, tmp_path: Path) -> None:
    """Without a timestamp, a signature is worth what its certificate is worth today."""
    own = key_folder.load_or_make(tmp_path / "own")
    short = short_lived(own, tmp_path / "own", seconds=1)
    signed = Signer(short).sign(saved(drawing(2, 64), "PNG"), "image/png", claim=CLAIM)
    leaf = certificates.leaf_of(short.certificate_chain_pem)
    while datetime.now(UTC) <= leaf.not_valid_after_utc + timedelta(seconds=1):
        time.sleep(0.1)
    reading = Reader(Trust(own.authority_pem)).read(signed.data, "image/png")
    with pytest.raises(bundle_check.SignerExpired, match="not valid at the time"):
        bundle_check._check_signer(reading)


def test_bundle_without_picture_proves_its_hash(small: Marked) -> None:
    data = bundle_export.bundle_of(small.id)
    said = bundle_check.verify(data, trusted=TAKE_ITS_WORD)
    assert small.sealed.sha256 in said[-1]
    bundle_check.verify(data, image=small.sealed.data, trusted=TAKE_ITS_WORD)
    with pytest.raises(bundle_check.BundleInvalid, match="another picture"):
        bundle_check.verify(data, image=b"other", trusted=TAKE_ITS_WORD)


def test_picture_made_from_a_changed_one_has_a_bundle_that_holds(small: Marked) -> None:
    """Its own credentials hold; what its parent's are worth, the verify page says."""
    parent = small.sealed.data[:-4] + bytes([small.sealed.data[-4] ^ 1]) + small.sealed.data[-3:]
    asset_id = uuid4()
    marked = marking.embed(drawing(8, 64), asset_id=asset_id)
    sealed = marking.seal(
        marked,
        asset_id=asset_id,
        created_at=NOW,
        system=SYSTEM,
        parent=Parent(parent, "image/png"),
    )
    marking.record(sealed, asset_id=asset_id, owner_pseudonym="p", at=NOW)
    transparency_log.sequence(at=NOW)
    data = bundle_export.bundle_of(asset_id, image=sealed.data)
    assert "are signed by" in bundle_check.verify(data, trusted=TAKE_ITS_WORD)[-1]


def test_keys_that_the_reader_knows_must_be_those_of_the_bundle(small: Marked) -> None:
    data = bundle_export.bundle_of(small.id)
    key = checkpoint.verifier_key("localhost/proofsheet", keyring().log_key.public_key())
    bundle_check.verify(data, trusted=Trusted(log_key=key))
    for wrong in (Trusted(log_key="other"), Trusted(authorities=("0" * 64,))):
        with pytest.raises(bundle_check.BundleInvalid, match="not the one you trust"):
            bundle_check.verify(data, trusted=wrong)


def test_export_refuses_another_file_and_an_unknown_id(small: Marked, tmp_path: Path) -> None:
    with pytest.raises(bundle_export.AnotherFile):
        bundle_export.bundle_of(small.id, image=b"other")
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(CommandError, match="No picture with that id"):
        call_command("export_bundle", unknown, "--out", str(tmp_path / "x"))


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 1000, bundle_format.write({"a": b"b"})])
def test_other_files_are_no_bundle(data: bytes) -> None:
    with pytest.raises(bundle_format.BundleUnreadable):
        bundle_check.verify(data, trusted=TAKE_ITS_WORD)
