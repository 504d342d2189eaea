"""New keys in place of old ones: what was signed before still verifies, and the log says so."""

import shutil
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ObjectIdentifier
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from numpy.typing import NDArray
from pytest_django.fixtures import Settings

from provenance.keys import certificates, key_folder
from provenance.keys.installed_keys import keyring
from provenance.keys.key_folder import KeysUnusable
from provenance.log import freshness, recomputation, transparency_log
from provenance.log.formats import canonical_json, checkpoint
from provenance.manifests.signing_context import signer
from provenance.models import LogEntry
from provenance.offline import bundle_check, bundle_export
from provenance.rotation import key_rotation
from provenance.verify import examination
from tests.provenance.conftest import NOW, Marked, other_process, record, seal
from tests.provenance.pictures import drawing, photograph

ORIGIN = "localhost/proofsheet"
MONTH = timedelta(days=30)
Mark = Callable[[NDArray[np.uint8]], Marked]


@pytest.fixture(autouse=True)
def own_keys(settings: Settings, tmp_path: Path) -> Path:
    """Keys of this test alone."""
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "keys"
    key_folder.load_or_make(tmp_path / "keys")
    return tmp_path / "keys"


def told(kind: str = key_rotation.KEY_ROTATED) -> list[dict[str, object]]:
    bodies = LogEntry.objects.filter(kind=kind).order_by("id").values_list("body", flat=True)
    return [canonical_json.decode(bytes(body))["body"] for body in bodies]


def test_picture_of_the_old_signer_stays_trusted(mark: Mark) -> None:
    before = mark(photograph("coffee"))
    old = keyring().certificate_chain_pem
    rotated = key_rotation.rotate_signer(at=NOW)
    assert keyring().certificate_chain_pem != old
    after = mark(photograph("astronaut"))
    for marked in (before, after):
        report = examination.check(marked.sealed.data, at=NOW)
        assert (report.manifest.state, report.signer.verdict) == ("trusted", "found_good")
    (body,) = told()
    assert (body["key"], body["old"], body["new"]) == ("signer", rotated.old, rotated.new)


def test_old_private_key_of_the_signer_is_destroyed(own_keys: Path, db: None) -> None:
    key_rotation.rotate_signer(at=NOW)
    key_rotation.rotate_signer(at=NOW)
    assert len(list(own_keys.glob("signer*.key"))) == 1
    assert len(list(own_keys.glob("signer*.pem"))) == 3
    assert {path.stat().st_mode & 0o077 for path in own_keys.glob("*.key")} == {0}


def test_compromised_signer_is_revoked_while_the_log_still_proves(mark: Mark) -> None:
    before = mark(photograph("coffee"))
    key_rotation.rotate_signer(at=NOW, is_compromised=True)
    report = examination.check(before.sealed.data, at=NOW)
    assert (report.signer.verdict, report.log.verdict) == ("found_bad", "found_good")
    assert "withdrawn on 24 Nov 2026" in report.signer.sentence
    assert "signingCredential.ocsp.revoked" in report.manifest.issues
    assert report.is_ours
    assert (
        examination.check(mark(photograph("moon")).sealed.data, at=NOW).signer.verdict
        == "found_good"
    )


def test_both_keys_sign_the_log_until_the_overlap_ends(mark: Mark) -> None:
    mark(drawing(2, 64))
    first = transparency_log.latest_checkpoint().note
    old = keyring().log_key.public_key()
    key_rotation.rotate_log_key(at=NOW, overlap=MONTH)
    new = keyring().log_key.public_key()
    transparency_log.sequence(at=NOW)
    both = transparency_log.latest_checkpoint().note
    for key in (old, new):
        assert checkpoint.verify(both, origin=ORIGIN, key=key).tree_size == 2
    transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=NOW)
    transparency_log.sequence(at=NOW + MONTH)
    late = transparency_log.latest_checkpoint().note
    assert checkpoint.verify(late, origin=ORIGIN, key=new).tree_size == 3
    with pytest.raises(checkpoint.NoteInvalid):
        checkpoint.verify(late, origin=ORIGIN, key=old)
    assert checkpoint.verify_by_any(first, origin=ORIGIN, keys=keyring().log_verifiers())
    assert recomputation.audit().fault is None


def test_handover_is_signed_by_both_keys_in_the_log(db: None) -> None:
    old = keyring().log_key.public_key()
    rotated = key_rotation.rotate_log_key(at=NOW, overlap=MONTH)
    (body,) = told()
    for key in (old, keyring().log_key.public_key()):
        text = checkpoint.verify_text(str(body["statement"]), name=ORIGIN, keys=[key])
        assert rotated.old in text
        assert rotated.new in text
    assert not text.startswith(ORIGIN)


def test_old_key_that_signs_after_its_time_is_a_fault(mark: Mark) -> None:
    old = keyring().log_key
    key_rotation.rotate_log_key(at=NOW, overlap=timedelta(0))
    transparency_log.sequence(at=NOW)
    assert recomputation.audit().fault is None
    transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=NOW)
    transparency_log.sequence(at=NOW)
    last = transparency_log.latest_checkpoint()
    forged = checkpoint.sign(checkpoint.TreeHead(ORIGIN, 2, bytes(last.root_hash)), key=old)
    with transaction.atomic():
        cursor = connection.cursor()
        cursor.execute("ALTER TABLE provenance_checkpoint DISABLE TRIGGER checkpoint_append_only")
        cursor.execute("UPDATE provenance_checkpoint SET note = %s WHERE tree_size = 2", [forged])
        cursor.execute(
            "ALTER TABLE provenance_checkpoint ENABLE ALWAYS TRIGGER checkpoint_append_only"
        )
    fault = recomputation.audit().fault
    assert fault is not None
    assert "not signed by this log" in fault.sentence


def test_destroyed_key_still_verifies_what_it_signed(own_keys: Path, mark: Mark) -> None:
    mark(drawing(2, 64))
    note = transparency_log.latest_checkpoint().note
    key_rotation.rotate_log_key(at=NOW, overlap=MONTH)
    assert key_rotation.destroy_retired(at=NOW) == 0
    assert key_rotation.destroy_retired(at=NOW + MONTH) == 1
    assert not (own_keys / "log.key").exists()
    keyring_again = key_folder.load_or_make(own_keys)
    checkpoint.verify_by_any(note, origin=ORIGIN, keys=keyring_again.log_verifiers())
    assert len(keyring_again.log_signers(at=NOW)) == 1


def test_outsider_finds_the_keys_and_both_timed_signatures(client: Client, mark: Mark) -> None:
    mark(drawing(2, 64))
    old = keyring().log_key.public_key()
    key_rotation.rotate_log_key(at=NOW, overlap=MONTH)
    transparency_log.sequence(at=NOW)
    freshness.refresh(at=NOW)
    listed = client.get("/log/keys").text.split()
    assert len(listed) == 2
    note = client.get("/log/checkpoint").text
    for line in listed:
        name, key = checkpoint.parse_verifier_key(line)
        assert checkpoint.verify(note, origin=name, key=key).tree_size == 2
        assert checkpoint.cosigned_at(note, name=name, key=key) == int(NOW.timestamp())
    assert listed[1] == checkpoint.verifier_key(ORIGIN, old)
    assert "A key was replaced" in client.get("/log/entry/1/").text


def test_bundle_names_the_key_that_signed_its_checkpoint(mark: Mark) -> None:
    marked = mark(drawing(2, 64))
    old = checkpoint.verifier_key(ORIGIN, keyring().log_key.public_key())
    rotated = key_rotation.rotate_log_key(at=NOW, overlap=timedelta(0))
    for known in (old, rotated.new):
        data = bundle_export.bundle_of(marked.id, image=marked.sealed.data)
        bundle_check.verify(data, trusted=bundle_check.Trusted(log_key=known))
        transparency_log.sequence(at=NOW)


def test_other_process_signs_with_the_new_key_without_a_restart(own_keys: Path, db: None) -> None:
    loaded = "ring.log_key.public_key().public_bytes_raw().hex(), hash(ring.certificate_chain_pem)"
    with other_process(own_keys, loaded) as asked:
        before = asked()
        key_rotation.rotate_log_key(at=NOW, overlap=MONTH)
        key_rotation.rotate_signer(at=NOW)
        after = asked()
    assert before[0] != after[0] == keyring().log_key.public_key().public_bytes_raw().hex()
    assert before[1] != after[1]


def test_signing_goes_on_while_keys_are_rotated(transactional_db: None) -> None:
    failures: list[Exception] = []
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            try:
                seal(drawing(2, 64))
            except Exception as error:
                failures.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(8):
        key_rotation.rotate_signer(at=NOW)
    is_over.set()
    worker.join()
    assert failures == []


def test_rotation_needs_the_authority_s_key(own_keys: Path, db: None) -> None:
    (own_keys / "ca.key").unlink()
    with pytest.raises(key_folder.KeysUnusable, match=r"ca\.key"):
        key_rotation.rotate_signer(at=NOW)
    assert not told()


def test_command_rotates_and_says_what_to_do(capsys: pytest.CaptureFixture[str], db: None) -> None:
    call_command("rotate_keys", "--log", "--overlap-days", "7")
    assert "/log/keys" in capsys.readouterr().out
    call_command("rotate_keys", "--signer", "--compromised")
    call_command("rotate_keys", "--destroy-retired")
    assert "0 private keys destroyed" in capsys.readouterr().out
    for wrong in (["--log", "--compromised"], ["--log", "--overlap-days", "-1"], []):
        with pytest.raises(CommandError):
            call_command("rotate_keys", *wrong)
    assert [body["key"] for body in told()] == ["log", "signer"]


C2PA_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
PROGRAM = """
import sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))
"""


@pytest.fixture
def programme(settings: Settings, tmp_path: Path) -> Path:
    """A certificate as a conformance programme issues it, with C2PA's own purpose, in the slot."""
    now = datetime.now(UTC)
    authority_key, authority = certificates.make_authority(at=now)
    key, leaf = certificates.make_leaf(authority_key, authority, at=now)
    builder = x509.CertificateBuilder(
        issuer_name=leaf.issuer,
        subject_name=x509.Name(
            [
                x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Pictures Ltd"),
                x509.NameAttribute(x509.NameOID.COMMON_NAME, "Pictures signer"),
            ]
        ),
        public_key=leaf.public_key(),
    )
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(leaf.not_valid_before_utc)
    builder = builder.not_valid_after(now + timedelta(days=365))
    for extension in leaf.extensions:
        is_purpose = isinstance(extension.value, x509.ExtendedKeyUsage)
        value = x509.ExtendedKeyUsage([C2PA_SIGNING]) if is_purpose else extension.value
        builder = builder.add_extension(value, extension.critical)
    certificate = builder.sign(authority_key, hashes.SHA256())
    chain = certificates.public_pem(certificate) + certificates.public_pem(authority)
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "outside.key").write_bytes(certificates.private_pem(key))
    settings.PROOFSHEET_C2PA = {
        "certificates": str(tmp_path / "chain.pem"),
        "private_key": str(tmp_path / "outside.key"),
        "command": [],
        "algorithm": "es256",
        "trust_anchors": "",
    }
    return tmp_path


def test_certificate_from_outside_signs_and_older_pictures_stay_trusted(
    settings: Settings, mark: Mark, request: pytest.FixtureRequest
) -> None:
    before = mark(photograph("coffee"))
    request.getfixturevalue("programme")
    after = mark(photograph("astronaut"))
    report = examination.check(after.sealed.data, at=NOW)
    assert (report.signer.verdict, report.signer.name) == ("found_good", "Pictures Ltd")
    assert examination.check(before.sealed.data, at=NOW).signer.verdict == "found_good"
    call_command("rotate_keys", "--signer")
    (body,) = told()
    leaf = certificates.leaf_of(keyring().certificate_chain_pem)
    assert body["new"] == certificates.digest(leaf)
    with pytest.raises(CommandError, match="knows already"):
        call_command("rotate_keys", "--signer")


def test_key_from_outside_may_lie_encrypted(programme: Path, settings: Settings) -> None:
    path = programme / "outside.key"
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    sealed = serialization.BestAvailableEncryption(b"long words")
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            encryption_algorithm=sealed,
        )
    )
    for wrong in ("", "other words"):
        settings.PROOFSHEET_C2PA |= {"passphrase": wrong}
        with pytest.raises(KeysUnusable, match="cannot be read"):
            seal(drawing(2, 64))
    settings.PROOFSHEET_C2PA |= {"passphrase": "long words"}
    reading = signer().read(seal(drawing(2, 64)).sealed.data, "image/png")
    assert reading.signer == "Pictures Ltd"


def test_certificate_from_outside_is_revoked_by_its_number(programme: Path, mark: Mark) -> None:
    before = mark(photograph("coffee"))
    assert examination.check(before.sealed.data, at=NOW).signer.verdict == "found_good"
    serial = str(certificates.leaf_of(keyring().certificate_chain_pem).serial_number)
    for wrong in (["--signer", "--compromised"], ["--revoke", "x"], ["--revoke", "0"]):
        with pytest.raises(CommandError):
            call_command("rotate_keys", *wrong)
    call_command("rotate_keys", "--revoke", serial)
    report = examination.check(before.sealed.data, at=NOW)
    assert (report.signer.verdict, report.log.verdict) == ("found_bad", "found_good")
    assert "withdrawn on" in report.signer.sentence
    assert told(key_rotation.KEY_REVOKED) == [{"serial_number": serial}]


def test_key_that_stays_in_another_process_signs(programme: Path, settings: Settings) -> None:
    (programme / "sign.py").write_text(PROGRAM)
    command = [sys.executable, str(programme / "sign.py"), str(programme / "outside.key")]
    settings.PROOFSHEET_C2PA |= {"private_key": "", "command": command}
    assert keyring().signer_key_pem == ""
    sealed = seal(drawing(2, 64)).sealed
    reading = signer().read(sealed.data, "image/png")
    assert (reading.state, reading.signer) == ("trusted", "Pictures Ltd")


def test_program_that_fails_is_told_and_nothing_is_signed(
    programme: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the token is locked')"]
    settings.PROOFSHEET_C2PA |= {"private_key": "", "command": command}
    with pytest.raises(Exception, match="could not be signed"):
        seal(drawing(2, 64))
    assert "the token is locked" in caplog.text


def test_certificate_that_is_replaced_in_its_place_is_used_at_once(
    programme: Path, settings: Settings, tmp_path: Path
) -> None:
    assert seal(drawing(2, 64))
    settings.PROOFSHEET_C2PA |= {"certificates": str(tmp_path / "copy.pem")}
    shutil.copy(programme / "chain.pem", tmp_path / "copy.pem")
    shutil.copy(tmp_path / "keys" / "signer.key", programme / "outside.key")
    own = (tmp_path / "keys" / "signer.pem").read_bytes()
    (tmp_path / "copy.pem").write_bytes(own + (tmp_path / "keys" / "ca.pem").read_bytes())
    reading = signer().read(seal(drawing(2, 64)).sealed.data, "image/png")
    assert reading.signer == "Proofsheet local installation"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"private_key": ""}, "has no key"),
        ({"certificates": "/nowhere.pem"}, "cannot be read"),
    ],
)
def test_slot_that_is_half_filled_is_told(
    programme: Path, settings: Settings, change: dict[str, str], sentence: str
) -> None:
    settings.PROOFSHEET_C2PA |= change
    with pytest.raises(key_folder.KeysUnusable, match=sentence):
        keyring()


def test_key_that_does_not_fit_its_certificate_never_signs(programme: Path, db: None) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    (programme / "outside.key").write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(Exception, match="signed"):
        record(seal(drawing(2, 64)))
