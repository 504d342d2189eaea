"""Another authority for the old: older pictures stay trusted, as long as nobody says otherwise."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from pytest_django.fixtures import Settings

from provenance.assets import marking, transcode
from provenance.keys import certificates, key_folder
from provenance.keys.installed_keys import keyring
from provenance.log import transparency_log
from provenance.log.formats import canonical_json, checkpoint
from provenance.manifests.content_credentials import Reader, Signer, TimestampAuthority, Trust
from provenance.manifests.definition import ManifestClaim, Parent
from provenance.manifests.signing_context import signer
from provenance.models import LogEntry
from provenance.offline import bundle_check, bundle_export, bundle_format
from provenance.offline.bundle_check import Trusted
from provenance.rotation import authorities, key_rotation
from provenance.verify import examination
from provenance.verify.verdicts import VerifyReport
from tests.provenance.conftest import NOW, SYSTEM, Marked, other_process, seal
from tests.provenance.files import CLAIM, saved
from tests.provenance.pictures import drawing, photograph
from tests.provenance.test_rotation import programme as programme
from tests.provenance.tsa import Authority, served

ORIGIN = "localhost/proofsheet"
LATER = NOW + timedelta(minutes=1)
Mark = Callable[[NDArray[np.uint8]], Marked]


@pytest.fixture(autouse=True)
def own_keys(settings: Settings, tmp_path: Path) -> Path:
    """Keys of this test alone."""
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "keys"
    key_folder.load_or_make(tmp_path / "keys")
    return tmp_path / "keys"


def private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


@pytest.fixture
def thief(own_keys: Path) -> key_folder.Keyring:
    """Whoever copied the authority's key, and signs under a leaf of their own making."""
    authority = certificates.leaf_of(keyring().authority_pem)
    key, leaf = certificates.make_leaf(
        private_key(own_keys / "ca.key"), authority, at=datetime.now(UTC)
    )
    return replace(
        keyring(),
        certificate_chain_pem=certificates.public_pem(leaf).decode() + keyring().authority_pem,
        signer_key_pem=certificates.private_pem(key).decode(),
    )


def forged(thief: key_folder.Keyring) -> bytes:
    claim = ManifestClaim(str(uuid4()), "Proofsheet", "0.1.0", "starter", NOW, "00")
    plain = saved(photograph("moon"), "PNG")
    return Signer(thief).sign(plain, "image/png", claim=claim).data


def vary(marked: Marked) -> Marked:
    """A picture that was made from a marked one, in the log."""
    asset_id = uuid4()
    pixels = marking.embed(marked.pixels, asset_id=asset_id)
    parent = Parent(marked.sealed.data, "image/png")
    sealed = marking.seal(pixels, asset_id=asset_id, created_at=NOW, system=SYSTEM, parent=parent)
    asset = marking.record(sealed, asset_id=asset_id, owner_pseudonym="p", at=NOW)
    transparency_log.sequence(at=NOW)
    return Marked(asset_id, pixels.pixels, sealed, asset)


def told(kind: str) -> list[dict[str, object]]:
    bodies = LogEntry.objects.filter(kind=kind).order_by("id").values_list("body", flat=True)
    return [canonical_json.decode(bytes(body))["body"] for body in bodies]


def checked(data: bytes) -> VerifyReport:
    return examination.check(data, at=NOW)


def test_pictures_of_both_authorities_are_trusted(mark: Mark, own_keys: Path) -> None:
    before = mark(photograph("coffee"))
    rotated = authorities.rotate(at=NOW)
    after = mark(photograph("astronaut"))
    for marked in (before, after):
        report = checked(marked.sealed.data)
        assert (report.manifest.state, report.signer.verdict) == ("trusted", "found_good")
    new = certificates.leaf_of(keyring().authority_pem)
    leaf = certificates.leaf_of(keyring().certificate_chain_pem)
    assert certificates.digest(new) == rotated.new
    assert certificates.leads_to(leaf, known=[], anchors=[new])
    assert [(body["key"], body["compromised"]) for body in told(key_rotation.KEY_ROTATED)] == [
        ("authority", False),
        ("signer", False),
    ]
    assert told(key_rotation.KEY_ROTATED)[0]["old"] == rotated.old
    assert not {"ca.key", "signer.key"} & {path.name for path in own_keys.iterdir()}
    assert {path.stat().st_mode & 0o077 for path in own_keys.glob("*.key")} == {0}


def test_signer_is_rotated_under_the_new_authority(own_keys: Path, mark: Mark) -> None:
    authorities.rotate(at=NOW)
    key_rotation.rotate_signer(at=NOW)
    authority = certificates.leaf_of(keyring().authority_pem)
    leaf = certificates.leaf_of(keyring().certificate_chain_pem)
    assert certificates.leads_to(leaf, known=[], anchors=[authority])
    assert checked(mark(photograph("coffee")).sealed.data).signer.verdict == "found_good"


def test_authority_whose_key_is_lost_is_replaced(own_keys: Path, mark: Mark) -> None:
    before = mark(photograph("coffee"))
    (own_keys / "ca.key").unlink()
    authorities.rotate(at=NOW)
    key_rotation.rotate_signer(at=NOW)
    assert checked(before.sealed.data).signer.verdict == "found_good"


def test_retired_authority_reads_as_unknown_and_the_log_still_proves(mark: Mark) -> None:
    before = mark(photograph("coffee"))
    rotated = authorities.rotate(at=NOW)
    authorities.retire(rotated.old, at=NOW)
    report = checked(before.sealed.data)
    assert (report.signer.verdict, report.log.verdict) == ("could_not_check", "found_good")
    assert report.is_ours
    assert told(authorities.KEY_RETIRED) == [{"authority": rotated.old}]


def test_what_a_thief_of_the_authority_signs_is_bad_and_what_was_logged_stays_good(
    mark: Mark, thief: key_folder.Keyring
) -> None:
    before = mark(photograph("coffee"))
    late = forged(thief)
    assert checked(late).signer.verdict == "found_good"
    authorities.rotate(at=LATER, distrusted_since=LATER)
    report = checked(before.sealed.data)
    assert (report.manifest.state, report.signer.verdict) == ("trusted", "found_good")
    report = checked(late)
    assert (report.signer.verdict, report.is_ours) == ("found_bad", False)
    assert "not relied on since 24 Nov 2026, 12:01 UTC" in report.signer.sentence
    assert "signingCredential.ocsp.revoked" in report.manifest.issues
    assert report.disclosure is None
    (body,) = told(key_rotation.KEY_REVOKED)
    assert body["since"] == "2026-11-24T12:01:00+00:00"


def test_entry_of_after_the_distrust_does_not_help(mark: Mark) -> None:
    marked = mark(photograph("coffee"))
    rotated = authorities.rotate(at=LATER)
    authorities.distrust(rotated.old, since=NOW, at=LATER)
    report = checked(marked.sealed.data)
    assert (report.signer.verdict, report.log.verdict) == ("found_bad", "found_good")


def test_copy_that_names_a_logged_picture_is_not_that_picture(
    mark: Mark, thief: key_folder.Keyring
) -> None:
    """The log knows the original of it, which anybody can sign anew who has the key."""
    marked = mark(photograph("coffee"))
    claim = replace(CLAIM, asset_id=str(marked.id))
    plain = saved(marked.pixels, "PNG")
    copy = Signer(thief).sign(plain, "image/png", claim=claim).data
    authorities.rotate(at=LATER, distrusted_since=LATER)
    assert checked(copy).signer.verdict == "found_bad"
    assert checked(marked.sealed.data).signer.verdict == "found_good"


def test_revoked_signer_stays_revoked_under_a_distrusted_authority(mark: Mark) -> None:
    marked = mark(photograph("coffee"))
    key_rotation.rotate_signer(at=NOW, is_compromised=True)
    authorities.rotate(at=LATER, distrusted_since=LATER)
    report = checked(marked.sealed.data)
    assert report.signer.verdict == "found_bad"
    assert "was withdrawn on" in report.signer.sentence


@pytest.fixture
def clock() -> Iterator[Authority]:
    authority = Authority()
    with served(authority):
        yield authority


def test_trusted_time_of_before_the_distrust_helps(
    clock: Authority, thief: key_folder.Keyring, tmp_path: Path
) -> None:
    times = TimestampAuthority(clock.url, clock.root_pem)
    plain = saved(drawing(2, 64), "PNG")
    clock.at = datetime.now(UTC)
    timed = Signer(thief, timestamps=times).sign(plain, "image/png", claim=CLAIM)
    assert timed.is_timestamped
    other = key_folder.load_or_make(tmp_path / "other").authority_pem

    def read(since: datetime, timestamps_pem: str) -> str:
        distrusted = ((thief.authority_pem, since.isoformat()),)
        trust = Trust(other, timestamps_pem, distrusted=distrusted)
        return Reader(trust).read(timed.data, "image/png").signature

    assert read(clock.at + timedelta(minutes=1), clock.root_pem) == "trusted"
    assert read(clock.at - timedelta(minutes=1), clock.root_pem) == "distrusted"
    assert read(clock.at + timedelta(minutes=1), Authority().root_pem) == "distrusted"
    assert read(clock.at + timedelta(minutes=1), "") == "distrusted"


def test_distrusted_authority_cannot_set_the_clock_back(
    thief: key_folder.Keyring, own_keys: Path, tmp_path: Path
) -> None:
    """Its key issues certificates of timestamping units, too."""
    clock = Authority()
    clock.root_key = private_key(own_keys / "ca.key")
    clock.root = certificates.leaf_of(thief.authority_pem)
    clock.certificate = clock._certificate(datetime.now(UTC))
    plain = saved(drawing(2, 64), "PNG")
    with served(clock) as url:
        times = TimestampAuthority(url, thief.authority_pem)
        timed = Signer(thief, timestamps=times).sign(plain, "image/png", claim=CLAIM)
    assert timed.is_timestamped
    other = key_folder.load_or_make(tmp_path / "other").authority_pem
    since = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    reader = Reader(Trust(other, Authority().root_pem, distrusted=((thief.authority_pem, since),)))
    reading = reader.read(timed.data, "image/png")
    assert (reading.signature, reading.timestamp) == ("distrusted", "unknown")


def test_bundle_names_the_authority_of_the_picture_s_time(mark: Mark) -> None:
    before = mark(drawing(2, 64))
    rotated = authorities.rotate(at=NOW)
    after = mark(drawing(4, 64))
    both = Trusted(authorities=(rotated.old, rotated.new))
    for marked, digest in ((before, rotated.old), (after, rotated.new)):
        data = bundle_export.bundle_of(marked.id, image=marked.sealed.data)
        assert (
            bundle_format.digest_of_pem(bundle_format.read(data)[bundle_format.AUTHORITY]) == digest
        )
        assert "under that authority" in bundle_check.verify(data, trusted=both)[-1]
    with pytest.raises(bundle_check.BundleInvalid, match="not the one you trust"):
        bundle_check.verify(data, trusted=Trusted(authorities=(rotated.old,)))
    authorities.retire(rotated.old, at=NOW)
    data = bundle_export.bundle_of(before.id, image=before.sealed.data)
    bundle_check.verify(data, trusted=Trusted(authorities=(rotated.old,)))


def test_bundle_of_a_variation_names_its_own_authority_alone(mark: Mark) -> None:
    before = mark(photograph("coffee"))
    rotated = authorities.rotate(at=NOW)
    varied = vary(before)
    data = bundle_export.bundle_of(varied.id, image=varied.sealed.data)
    bundle_check.verify(data, trusted=Trusted(authorities=(rotated.new,)))
    assert checked(varied.sealed.data).manifest.verdict == "found_good"


def test_offline_reader_relies_on_the_log_for_a_distrusted_authority(mark: Mark) -> None:
    marked = mark(drawing(2, 64))
    rotated = authorities.rotate(at=LATER, distrusted_since=LATER)
    data = bundle_export.bundle_of(marked.id, image=marked.sealed.data)
    key = checkpoint.verifier_key(ORIGIN, keyring().log_key.public_key())

    def verified(since: datetime, log_key: str | None) -> list[str]:
        known = Trusted(log_key=log_key, distrusted=((rotated.old, since),))
        return bundle_check.verify(data, trusted=known)

    assert verified(LATER, key)
    with pytest.raises(
        bundle_check.SignersAuthorityDistrusted, match="distrusted since 2026-11-24 12:00 UTC"
    ):
        verified(NOW, key)
    with pytest.raises(bundle_check.SignersAuthorityDistrusted, match="only the log"):
        verified(LATER, None)


@pytest.mark.parametrize(
    ("since", "code"), [("2026-11-25", 0), ("2026-11-24T12:00Z", 1), ("soon", 2)]
)
def test_offline_command_takes_a_distrusted_authority(
    mark: Mark, tmp_path: Path, since: str, code: int
) -> None:
    marked = mark(drawing(2, 64))
    (tmp_path / "b").write_bytes(bundle_export.bundle_of(marked.id, image=marked.sealed.data))
    key = checkpoint.verifier_key(ORIGIN, keyring().log_key.public_key())
    digest = certificates.digest(certificates.leaf_of(keyring().authority_pem))
    command = [sys.executable, "-m", "provenance.offline", str(tmp_path / "b"), "--log-key", key]
    command += ["--authority", digest, "--authority", "0" * 64, "--distrusted", f"{digest}={since}"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_stranger_s_picture_is_unknown_beside_a_distrusted_authority(
    tmp_path: Path, db: None
) -> None:
    authorities.rotate(at=LATER, distrusted_since=LATER)
    stranger = Signer(key_folder.load_or_make(tmp_path / "other"))
    data = stranger.sign(saved(drawing(2, 64), "PNG"), "image/png", claim=CLAIM).data
    reading = signer().read(data, "image/png")
    assert (reading.state, reading.signature) == ("valid", "unknown")


def test_copy_is_made_of_a_picture_under_a_distrusted_authority(mark: Mark) -> None:
    marked = mark(photograph("coffee"))
    authorities.rotate(at=LATER, distrusted_since=LATER)
    copy = transcode.in_format(marked.sealed.data, "image/jpeg", asset_id=marked.id, at=LATER)
    report = checked(copy)
    assert (report.signer.verdict, report.manifest.verdict) == ("found_good", "found_good")


@pytest.mark.parametrize("is_retired", [True, False])
def test_variation_of_a_variation_is_signed_when_their_authority_is_over(
    mark: Mark, is_retired: bool
) -> None:
    """Each manifest inside says of the one before that it was trusted then."""
    first = mark(photograph("coffee"))
    second = vary(first)
    rotated = authorities.rotate(at=LATER)
    if is_retired:
        authorities.retire(rotated.old, at=LATER)
    else:
        authorities.distrust(rotated.old, since=LATER, at=LATER)
    third = vary(second)
    copy = transcode.in_format(second.sealed.data, "image/jpeg", asset_id=second.id, at=LATER)
    for data in (third.sealed.data, copy):
        report = checked(data)
        assert (report.signer.verdict, report.manifest.verdict) == ("found_good", "found_good")
    data = bundle_export.bundle_of(third.id, image=third.sealed.data)
    bundle_check.verify(data, trusted=Trusted(authorities=(rotated.new,)))


def test_other_process_signs_under_the_new_authority_without_a_restart(
    own_keys: Path, db: None
) -> None:
    loaded = (
        "certificates.digest(authority := certificates.leaf_of(ring.authority_pem)),"
        " len(ring.distrusted), certificates.leads_to("
        "certificates.leaf_of(ring.certificate_chain_pem), known=[], anchors=[authority])"
    )
    with other_process(own_keys, loaded) as asked:
        answers = []
        for since in (None, LATER):
            answers.append(asked())
            rotated = authorities.rotate(at=LATER, distrusted_since=since)
        answers.append(asked())
    assert answers[2] == [rotated.new, "1", "True"]
    assert answers[1] == [rotated.old, "0", "True"]
    assert len({digest for digest, *_ in answers}) == 3


def test_signing_goes_on_while_authorities_are_rotated(transactional_db: None) -> None:
    failures: list[Exception] = []
    sealed: list[bytes] = []
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            try:
                sealed.append(seal(drawing(2, 64)).sealed.data)
            except Exception as error:
                failures.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(4):
        authorities.rotate(at=NOW)
    is_over.set()
    worker.join()
    assert failures == []
    assert {signer().read(data, "image/png").state for data in sealed} <= {"trusted"}


def test_plan_of_an_older_version_is_read(own_keys: Path, mark: Mark) -> None:
    before = mark(photograph("coffee"))
    key_rotation.rotate_signer(at=NOW)
    plan = json.loads((own_keys / key_folder.PLAN).read_text())
    del plan["authorities"]
    (own_keys / key_folder.PLAN).write_text(json.dumps(plan))
    authorities.rotate(at=NOW)
    assert checked(before.sealed.data).signer.verdict == "found_good"


def test_certificate_from_outside_goes_on_to_sign(
    own_keys: Path, mark: Mark, request: pytest.FixtureRequest
) -> None:
    own = mark(photograph("coffee"))
    request.getfixturevalue("programme")
    outside = mark(photograph("astronaut"))
    authorities.rotate(at=LATER, distrusted_since=LATER)
    after = mark(photograph("moon"))
    assert [body["key"] for body in told(key_rotation.KEY_ROTATED)] == ["authority"]
    for marked in (own, outside, after):
        assert checked(marked.sealed.data).signer.verdict == "found_good"
    assert checked(after.sealed.data).signer.name == "Pictures Ltd"


def test_missing_certificate_of_an_older_authority_is_told_and_not_made_anew(
    own_keys: Path, db: None
) -> None:
    authorities.rotate(at=NOW)
    (own_keys / "ca.pem").unlink()
    with pytest.raises(key_folder.KeysUnusable, match=r"ca\.pem"):
        key_folder.load_or_make(own_keys)


def test_command_says_what_the_old_authority_is_worth(
    capsys: pytest.CaptureFixture[str], db: None
) -> None:
    first = certificates.digest(certificates.leaf_of(keyring().authority_pem))
    for wrong in (
        ["--retire-authority", first],
        ["--distrust-authority", first],
        ["--retire-authority", "0" * 64],
        ["--authority", "--since", "2026-11-24"],
        ["--authority", "--compromised", "--since", "2999-01-01"],
        ["--authority", "--compromised", "--since", "soon"],
        ["--authority", "--signer"],
    ):
        with pytest.raises(CommandError):
            call_command("rotate_keys", *wrong)
    call_command("rotate_keys", "--authority")
    out = capsys.readouterr().out
    assert f"Old authority, trusted as before: {first}" in out
    second = certificates.digest(certificates.leaf_of(keyring().authority_pem))
    call_command("rotate_keys", "--authority", "--compromised", "--since", "2026-11-24T12:00")
    assert f"distrusted since 2026-11-24 12:00 UTC: {second}" in capsys.readouterr().out
    with pytest.raises(CommandError, match="distrusted already"):
        call_command("rotate_keys", "--retire-authority", second)
    call_command("rotate_keys", "--retire-authority", first)
    call_command("rotate_keys", "--distrust-authority", first, "--since", "2026-11-24T14:00+02:00")
    assert "before 2026-11-24 12:00 UTC" in capsys.readouterr().out
    assert len(keyring().distrusted) == 2
