"""Signatures as Standard Webhooks has them, checked by its own library and by cryptography."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from config.webhooks.standard import signatures
from config.webhooks.standard.signatures import SigningKey

BODY = '{"type":"generation.refused","data":{"city":"Zürich"}}'.encode()


def now() -> datetime:
    return datetime.now(UTC)


def test_the_published_example_is_signed_as_published() -> None:
    """Of the specification's reference libraries, all of which test it."""
    key = SigningKey("v1", base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    at = datetime.fromtimestamp(1614265330, UTC)
    told = signatures.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', keys=[key], at=at
    )
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(max_size=500), st.binary(min_size=24, max_size=64))
def test_the_standard_library_takes_what_we_sign(text: str, raw: bytes) -> None:
    key = SigningKey("v1", raw)
    body = text.encode("utf-8", "surrogatepass")
    if text != body.decode("utf-8", "replace"):
        return  # no JSON of ours has half a surrogate
    told = signatures.headers("evt_1", body, keys=[key], at=now())
    Webhook(key.told).verify(body, told, json_parse=False)


def test_a_secret_is_padded_and_of_an_allowed_length() -> None:
    told = signatures.new_key("v1").told
    assert told.startswith("whsec_")
    assert 24 <= len(base64.b64decode(told[6:], validate=True)) <= 64
    assert len(told[6:]) % 4 == 0


@pytest.mark.parametrize("change", ["body", "id", "time", "secret"])
def test_whatever_was_changed_is_noticed(change: str) -> None:
    key = signatures.new_key("v1")
    told = signatures.headers("evt_1", BODY, keys=[key], at=now())
    body, secret = BODY, key.told
    match change:
        case "body":
            body += b" "
        case "id":
            told["webhook-id"] = "evt_2"
        case "time":
            told["webhook-timestamp"] = str(int(told["webhook-timestamp"]) + 1)
        case "secret":
            secret = signatures.new_key("v1").told
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, told)


def test_an_old_attempt_is_refused() -> None:
    key = signatures.new_key("v1")
    told = signatures.headers("evt_1", BODY, keys=[key], at=now() - timedelta(seconds=400))
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(key.told).verify(BODY, told)


def test_while_a_secret_is_changed_both_verify() -> None:
    old, new, other = (signatures.new_key("v1") for _ in range(3))
    pair = signatures.new_key("v1a")
    told = signatures.headers("evt_1", BODY, keys=[new, old, pair], at=now())
    for key in (old, new):
        Webhook(key.told).verify(BODY, told)
    with pytest.raises(WebhookVerificationError):
        Webhook(other.told).verify(BODY, told)


def test_a_key_pair_signs_for_whoever_has_its_public_half() -> None:
    pair = signatures.new_key("v1a")
    told = signatures.headers("evt_1", BODY, keys=[pair], at=now())
    scheme, _, signature = told["webhook-signature"].partition(",")
    assert (scheme, pair.told[:5]) == ("v1a", "whpk_")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(pair.told[5:], validate=True))
    said = f"evt_1.{told['webhook-timestamp']}.".encode() + BODY
    public.verify(base64.b64decode(signature, validate=True), said)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), said + b" ")


def test_a_body_of_twenty_thousand_bytes_is_not_sent() -> None:
    keys = [signatures.new_key("v1")]
    signatures.headers("evt_1", b"x" * 19_999, keys=keys, at=now())
    with pytest.raises(signatures.BodyTooLong):
        signatures.headers("evt_1", b"x" * 20_000, keys=keys, at=now())


def test_an_id_with_a_full_stop_is_not_signed() -> None:
    with pytest.raises(ValueError, match="full stop"):
        signatures.headers("evt.1", BODY, keys=[], at=now())
