"""The log over HTTP, used as an outsider would: tiles to a root, a proof file to a checkpoint."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from provenance.keys.installed_keys import keyring
from provenance.log import transparency_log
from provenance.log.formats import checkpoint, merkle, proof_file
from tests.merkle_roots import root_of
from tests.provenance.conftest import NOW, Marked

SIZE = 300


@pytest.fixture
def long_log(db: None) -> None:
    for number in range(SIZE):
        transparency_log.append(kind="test.made", subject=uuid4(), body={"number": number}, at=NOW)
    transparency_log.sequence(at=NOW)


def head_of(note: str, settings_origin: str = "localhost/proofsheet") -> checkpoint.TreeHead:
    return checkpoint.verify(note, origin=settings_origin, key=keyring().log_key.public_key())


def test_tiles_and_entries_lead_to_the_signed_root(client: Client, long_log: None) -> None:
    answer = client.get("/log/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    head = head_of(answer.text)
    full, rest = client.get("/log/tile/0/000"), client.get("/log/tile/0/001.p/44")
    assert (len(full.content), len(rest.content)) == (8192, 44 * 32)
    assert "immutable" in full["Cache-Control"]
    hashes = full.content + rest.content
    leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    assert root_of(leaves) == head.root_hash
    upper = client.get("/log/tile/1/000.p/1").content
    assert upper == root_of(leaves[:256])
    bundles = [client.get(f"/log/tile/entries/{path}").content for path in ("000", "001.p/44")]
    assert [merkle.leaf_hash(body) for bundle in bundles for body in split(bundle)] == leaves


@pytest.mark.parametrize(
    "path", ["checkpoint", "keys", "tile/0/000", "tile/entries/000", "entry/3/", "tile/0/002"]
)
def test_head_answers_as_get_does_without_a_body(client: Client, long_log: None, path: str) -> None:
    told, asked = client.get(f"/log/{path}"), client.head(f"/log/{path}")
    assert (asked.status_code, asked.content) == (told.status_code, b"")
    for name in ("Content-Type", "Cache-Control"):
        assert asked.get(name) == told.get(name)
    assert client.post(f"/log/{path}").status_code == 405


def split(bundle: bytes) -> list[bytes]:
    bodies = []
    while bundle:
        length = int.from_bytes(bundle[:2])
        bodies.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return bodies


@pytest.mark.parametrize(
    "path",
    [
        "0/001",
        "0/001.p/45",
        "0/002.p/1",
        "1/000",
        "2/000.p/1",
        "0/x001/000",
        "entries/001",
        "entries/001.p/45",
        "0/1",
        "0/000.p/256",
        "0/000.p/0",
        "64/000",
        "00/000",
        "63/000",
        "0/x999/x999/x999/x999/999",
    ],
)
def test_tile_that_the_tree_does_not_have_is_404(client: Client, long_log: None, path: str) -> None:
    assert client.get(f"/log/tile/{path}").status_code == 404


def test_proof_of_an_asset_is_checked_without_the_log(client: Client, astronaut: Marked) -> None:
    answer = client.get(f"/log/proof/{astronaut.id}")
    assert "tlog-proof" in answer["Content-Disposition"]
    proof = proof_file.read(answer.text)
    head = head_of(proof.note)
    leaf = merkle.leaf_hash(proof.body)
    merkle.verify_inclusion(leaf, proof.index, head.tree_size, proof.path, head.root_hash)
    assert json.loads(proof.body)["body"]["sha256"] == astronaut.sealed.sha256


def test_proof_of_an_unknown_asset_is_404(client: Client, astronaut: Marked) -> None:
    assert client.get(f"/log/proof/{uuid4()}").status_code == 404


def test_entry_page_shows_that_its_proof_holds(client: Client, astronaut: Marked) -> None:
    page = client.get("/log/entry/0/")
    assert page.status_code == 200
    assert "The proof holds" in page.text
    assert astronaut.sealed.sha256 in page.text
    assert client.get("/log/entry/1/").status_code == 404


def test_empty_log_has_no_checkpoint_yet(client: Client, db: None) -> None:
    assert client.get("/log/checkpoint").status_code == 404


@given(
    st.integers(0, 10**9),
    st.lists(st.binary(min_size=32, max_size=32), max_size=10),
    st.binary(max_size=300),
)
def test_proof_file_round_trips(index: int, path: list[bytes], body: bytes) -> None:
    proof = proof_file.Proof(index, tuple(path), "a\n1\nb\n\n\u2014 a b\n", body)
    assert proof_file.read(proof_file.write(proof)) == proof


@given(st.text(max_size=200))
def test_other_text_is_no_proof(text: str) -> None:
    with pytest.raises(proof_file.ProofUnreadable):
        proof_file.read(text)


@pytest.mark.parametrize(
    "kind",
    [
        "moderation.decision", "moderation.appeal", "moderation.policy", "moderation.reveal",
        "audit.report", "audit.decision",
    ],
)  # fmt: skip
def test_page_of_an_entry_says_in_words_what_it_is(client: Client, db: None, kind: str) -> None:
    transparency_log.append(kind=kind, subject=uuid4(), body={"digest": "0" * 64}, at=NOW)
    transparency_log.sequence(at=NOW)
    page = client.get("/log/entry/0/").text
    assert f"<code>{kind}</code>" in page
    assert f"<p>{kind}" not in page
