"""Signed notes: a published key and signature, the round trip, and what must not pass."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.log.formats import checkpoint
from provenance.log.formats.checkpoint import NoteInvalid, TreeHead

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "example.org/log"
HEAD = TreeHead(ORIGIN, 42, bytes(range(32)))
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_TEXT = (
    b"If you think cryptography is the answer to your problem,\n"
    b"then you don't know what your problem is.\n"
)
PUBLISHED_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_key_and_signature_of_the_go_implementation_are_understood() -> None:
    name, key = checkpoint.parse_verifier_key(PUBLISHED_KEY)
    blob = base64.b64decode(PUBLISHED_SIGNATURE)
    assert (name, blob[:4]) == ("PeterNeumann", checkpoint.key_id(name, key))
    key.verify(blob[4:], PUBLISHED_TEXT)
    assert checkpoint.verifier_key(name, key) == PUBLISHED_KEY


def test_note_round_trips() -> None:
    note = checkpoint.sign(HEAD, key=KEY)
    assert checkpoint.verify(note, origin=ORIGIN, key=KEY.public_key()) == HEAD
    assert note.startswith(f"{ORIGIN}\n42\n")


def test_every_changed_character_is_refused() -> None:
    note = checkpoint.sign(HEAD, key=KEY)
    for place in range(len(note)):
        for other in {"A", "\n", chr(ord(note[place]) ^ 1)} - {note[place]}:
            changed = note[:place] + other + note[place + 1 :]
            with pytest.raises(NoteInvalid):
                checkpoint.verify(changed, origin=ORIGIN, key=KEY.public_key())


def test_note_of_another_log_is_refused() -> None:
    note = checkpoint.sign(TreeHead("example.org/other", 42, bytes(32)), key=KEY)
    with pytest.raises(NoteInvalid, match="another log"):
        checkpoint.verify(note, origin=ORIGIN, key=KEY.public_key())


def test_note_of_another_key_is_refused() -> None:
    note = checkpoint.sign(HEAD, key=Ed25519PrivateKey.generate())
    with pytest.raises(NoteInvalid):
        checkpoint.verify(note, origin=ORIGIN, key=KEY.public_key())


def test_verifier_key_of_another_algorithm_is_refused() -> None:
    name, _, encoded = checkpoint.verifier_key(ORIGIN, KEY.public_key()).split("+", 2)
    blob = b"\x02" + base64.b64decode(encoded)[1:]
    with pytest.raises(NoteInvalid, match="another algorithm"):
        checkpoint.parse_verifier_key(f"{name}+00000000+{base64.b64encode(blob).decode()}")


def test_signatures_of_strangers_are_passed_over() -> None:
    stranger = base64.b64encode(bytes(76)).decode()
    note = checkpoint.sign(HEAD, key=KEY) + f"\u2014 witness.example {stranger}\n"
    assert checkpoint.verify(note, origin=ORIGIN, key=KEY.public_key()) == HEAD


@pytest.mark.parametrize(
    "text", ["", "\n\n", "a", "a\n1\n\n", "a\n-1\nAAAA\n\n\u2014 a AAAA\n", "\n\n\u2014 a b\n"]
)
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        checkpoint.verify(text, origin="a", key=KEY.public_key())


@pytest.mark.parametrize("kind", [b"\x02", b"\x04", b"\x06"])
def test_good_signature_that_names_another_algorithm_is_refused(kind: bytes) -> None:
    blob = checkpoint.key_id(ORIGIN, KEY.public_key(), kind) + KEY.sign(HEAD.text().encode())
    note = f"{HEAD.text()}\n\u2014 {ORIGIN} {base64.b64encode(blob).decode()}\n"
    with pytest.raises(NoteInvalid):
        checkpoint.verify(note, origin=ORIGIN, key=KEY.public_key())


def test_cosignature_does_not_stand_for_the_log_s_own_signature() -> None:
    line = checkpoint.cosign(HEAD, name=ORIGIN, key=KEY, unix_time=7)
    note = f"{HEAD.text()}\n{line}"
    assert checkpoint.cosigned_at(note, name=ORIGIN, key=KEY.public_key()) == 7
    with pytest.raises(NoteInvalid):
        checkpoint.verify(note, origin=ORIGIN, key=KEY.public_key())
