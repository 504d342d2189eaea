"""Somebody else's clock over HTTP: it dates pictures and checkpoints, and nothing waits for it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from numpy.typing import NDArray
from pytest_django.fixtures import Settings

from config.core.net import circuit_breaker
from provenance.keys import certificates, key_folder
from provenance.log import proofs, timestamping, transparency_log
from provenance.log.formats import checkpoint, proof_file, timestamp_token
from provenance.manifests.content_credentials import Reader, Signer, TimestampAuthority, Trust
from provenance.manifests.signing_context import signer
from provenance.models import Asset, Timestamp
from provenance.verify import examination
from tests.provenance.conftest import NOW, Marked
from tests.provenance.files import CLAIM, saved
from tests.provenance.pictures import drawing, photograph
from tests.provenance.tsa import Authority, served

Mark = Callable[[NDArray[np.uint8]], Marked]
MESSAGE = b"a tree head\n"
VECTORS = Path(__file__).parent.parent / "vectors" / "rfc3161"


@pytest.fixture
def clock(settings: Settings, tmp_path: Path) -> Iterator[Authority]:
    """A timestamping authority that settings name."""
    authority = Authority()
    (tmp_path / "tsa.pem").write_text(authority.root_pem)
    with served(authority) as url:
        settings.PROOFSHEET_TSA_URL = url
        settings.PROOFSHEET_TSA_CERTIFICATES = str(tmp_path / "tsa.pem")
        settings.PROOFSHEET_TSA_TIMEOUT_MS = 1000
        yield authority


def test_picture_carries_the_time_and_is_told_so(clock: Authority, mark: Mark) -> None:
    marked = mark(photograph("coffee"))
    assert marked.sealed.signed.is_timestamped
    reading = signer().read(marked.sealed.data, "image/png")
    assert (reading.state, reading.timestamp) == ("trusted", "trusted")
    report = examination.check(marked.sealed.data, at=NOW)
    assert "An independent timestamp says" in report.signer.proves
    assert Asset.objects.get().is_timestamped


@pytest.mark.parametrize("mood", ["silent", "refuses", "garbage", "unreachable"])
def test_picture_is_neither_lost_nor_held_up(
    clock: Authority, mark: Mark, settings: Settings, mood: str
) -> None:
    clock.mood = mood
    if mood == "unreachable":
        settings.PROOFSHEET_TSA_URL = "http://127.0.0.1:9/"
    began = time.monotonic()
    marked = [mark(drawing(seed, 64)) for seed in (2, 4, 6)]
    assert time.monotonic() - began < 6
    assert len(clock.asked) <= 1
    for each in marked:
        assert not each.sealed.signed.is_timestamped
        assert signer().read(each.sealed.data, "image/png").state == "trusted"
    assert not Asset.objects.filter(is_timestamped=True).exists()
    assert not timestamping.stamp(at=NOW)
    open_row = Timestamp.objects.get()
    assert (bytes(open_row.token), open_row.attempts) == (b"", 1)
    assert open_row.problem in ("server_unanswered", "timestamp_invalid")


def test_queue_makes_up_for_it_when_the_authority_is_back(
    clock: Authority, mark: Mark, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.mood = "refuses"
    first = mark(drawing(2, 64))
    assert not timestamping.stamp(at=NOW)
    mark(drawing(4, 64))
    clock.mood = "good"
    assert timestamping.stamp(at=NOW + timedelta(minutes=1))
    row = Timestamp.objects.get()
    assert (row.tree_size, row.attempts, row.problem) == (2, 2, "")
    assert row.authority == "CN=Timestamping unit 1,O=Test clock"
    report = examination.check(first.sealed.data, at=NOW)
    assert "An independent timestamp says that it was there by" in report.log.proves
    proof = proof_file.read(proofs.of_asset(first.id))
    message = checkpoint.parse(proof.note).text().encode()
    timestamp_token.verify(bytes(row.token), message, anchors_pem=clock.root_pem)
    assert "whose clock is not this system" in client.get("/log/entry/0/").text


def test_log_is_dated_hourly_and_at_once_for_an_untimed_picture(
    clock: Authority, mark: Mark
) -> None:
    mark(drawing(2, 64))
    assert timestamping.stamp(at=NOW)
    assert not timestamping.stamp(at=NOW + timedelta(hours=2))  # nothing new
    transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=NOW)
    transparency_log.sequence(at=NOW)
    assert not timestamping.stamp(at=NOW + timedelta(minutes=5))
    assert timestamping.stamp(at=NOW + timedelta(hours=1))
    clock.mood = "refuses"
    mark(drawing(4, 64))
    clock.mood = "good"
    assert timestamping.stamp(at=NOW + timedelta(hours=1, minutes=2))


def test_house_without_an_authority_dates_nothing(db: None, mark: Mark) -> None:
    assert not mark(drawing(2, 64)).sealed.signed.is_timestamped
    assert not timestamping.stamp(at=NOW)
    assert not Timestamp.objects.exists()


def test_missing_certificates_of_the_authority_are_named(
    clock: Authority, settings: Settings
) -> None:
    settings.PROOFSHEET_TSA_CERTIFICATES = ""
    with pytest.raises(key_folder.KeysUnusable, match="timestamping authority"):
        signer()


def short_lived(keyring: key_folder.Keyring, folder: Path, *, seconds: int) -> key_folder.Keyring:
    """The keyring with a leaf that runs out at once."""
    authority_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    authority = certificates.leaf_of(keyring.authority_pem)
    key, leaf = certificates.make_leaf(authority_key, authority, at=datetime.now(UTC))
    builder = x509.CertificateBuilder(
        issuer_name=leaf.issuer, subject_name=leaf.subject, public_key=leaf.public_key()
    )
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(leaf.not_valid_before_utc)
    builder = builder.not_valid_after(datetime.now(UTC) + timedelta(seconds=seconds))
    for extension in leaf.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    short = builder.sign(authority_key, hashes.SHA256())
    return replace(
        keyring,
        certificate_chain_pem=certificates.public_pem(short).decode() + keyring.authority_pem,
        signer_key_pem=certificates.private_pem(key).decode(),
    )


def test_timed_signature_outlives_its_certificate(clock: Authority, tmp_path: Path) -> None:
    own = key_folder.load_or_make(tmp_path / "own")
    short = short_lived(own, tmp_path / "own", seconds=2)
    authority = TimestampAuthority(clock.url, clock.root_pem)
    plain = saved(drawing(2, 64), "PNG")
    timed = Signer(short, timestamps=authority).sign(plain, "image/png", claim=CLAIM)
    untimed = Signer(short).sign(plain, "image/png", claim=CLAIM)
    leaf = certificates.leaf_of(short.certificate_chain_pem)
    while datetime.now(UTC) <= leaf.not_valid_after_utc + timedelta(seconds=1):
        time.sleep(0.1)
    reader = Reader(Trust(own.authority_pem, clock.root_pem))
    assert reader.read(timed.data, "image/png").signature == "trusted"
    assert reader.read(untimed.data, "image/png").signature == "expired"
    alone = Reader(Trust(own.authority_pem))
    assert alone.read(timed.data, "image/png").signature == "expired"


def test_who_vouches_for_times_does_not_vouch_for_signers(clock: Authority, tmp_path: Path) -> None:
    """c2pa trusts a signer by any anchor; a public authority of times issues to many others."""
    own, stranger = (
        key_folder.load_or_make(tmp_path / "own"),
        key_folder.load_or_make(tmp_path / "other"),
    )
    plain = saved(drawing(2, 64), "PNG")
    signed = Signer(stranger).sign(plain, "image/png", claim=CLAIM).data
    reader = Reader(Trust(own.authority_pem, clock.root_pem + stranger.authority_pem))
    reading = reader.read(signed, "image/png")
    assert (reading.state, reading.signature) == ("valid", "unknown")
    ours = Signer(own).sign(plain, "image/png", claim=CLAIM).data
    assert reader.read(ours, "image/png").state == "trusted"


def answered(authority: Authority) -> bytes:
    return authority.answer(timestamp_token.request(MESSAGE, nonce=7))


def test_token_of_openssl_s_authority_is_understood() -> None:
    """RSA with SHA-512, an authority in between, fractions of a second, every optional field, and
    sets in an order that DER would not have.
    """
    answer = (VECTORS / "openssl.tsr").read_bytes()
    pem = (VECTORS / "openssl-root.pem").read_text()
    found = timestamp_token.token_of(answer, MESSAGE, nonce=7, anchors_pem=pem)
    assert found.at == datetime(2026, 11, 27, 7, 22, 17, 285_000, tzinfo=UTC)
    assert found.authority == "CN=Unit 7,O=Example clocks"
    assert timestamp_token.verify(found.token, MESSAGE, anchors_pem=pem) == found


def test_answer_to_another_request_is_refused() -> None:
    authority = Authority()
    pem = authority.root_pem
    for message, nonce in ((b"something else", 7), (MESSAGE, 8)):
        with pytest.raises(timestamp_token.TimestampInvalid):
            timestamp_token.token_of(answered(authority), message, nonce=nonce, anchors_pem=pem)
    with pytest.raises(timestamp_token.TimestampInvalid, match="Nobody who is trusted"):
        timestamp_token.token_of(
            answered(authority), MESSAGE, nonce=7, anchors_pem=Authority().root_pem
        )
    authority.mood = "refuses"
    with pytest.raises(timestamp_token.TimestampInvalid, match="too busy"):
        timestamp_token.token_of(answered(authority), MESSAGE, nonce=7, anchors_pem=pem)


def test_changed_token_is_refused_or_says_the_same() -> None:
    """Some bytes of a token are not signed, such as its list of algorithms: they change nothing."""
    authority = Authority(at=NOW)
    pem = authority.root_pem
    good = timestamp_token.token_of(answered(authority), MESSAGE, nonce=7, anchors_pem=pem)
    unsigned = 0
    for place in range(len(good.token)):
        changed = bytearray(good.token)
        changed[place] ^= 1
        try:
            found = timestamp_token.verify(bytes(changed), MESSAGE, anchors_pem=pem)
        except timestamp_token.TimestampInvalid:
            continue
        unsigned += 1
        assert found.at == good.at
    assert unsigned < len(good.token) // 5


@pytest.mark.parametrize("data", [b"", b"x", b"0\x80", bytes(100), b"\x30\x03\x02\x01\x00"])
def test_garbage_is_no_timestamp(data: bytes) -> None:
    pem = Authority().root_pem
    with pytest.raises(timestamp_token.TimestampInvalid):
        timestamp_token.token_of(data, MESSAGE, nonce=7, anchors_pem=pem)
    with pytest.raises(timestamp_token.TimestampInvalid):
        timestamp_token.verify(data, MESSAGE, anchors_pem=pem)


def test_patience_rests_after_a_failure_and_then_tries_again() -> None:
    now = [0.0]
    waits: circuit_breaker.Patience[int] = circuit_breaker.Patience(
        "a server", 1, rest_seconds=60, clock=lambda: now[0]
    )
    assert waits.attempt(lambda: 1) == 1
    assert waits.attempt(lambda: int("no number")) is None
    assert waits.attempt(lambda: 2) is None
    now[0] = 61.0
    assert waits.attempt(lambda: 3) == 3
