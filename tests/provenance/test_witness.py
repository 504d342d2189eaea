"""A witness over real HTTP: it cosigns what only grew; no fork, no roll-back, no stranger."""

import base64
import hashlib
import http.client
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from config.core.net import http_post
from config.launch.child_processes import free_port
from provenance.keys.installed_keys import keyring
from provenance.log import cosigning, freshness, proofs
from provenance.log.formats import checkpoint, merkle, proof_file, witness_protocol
from provenance.log.formats.checkpoint import TreeHead
from provenance.log.formats.witness_protocol import AddCheckpoint
from provenance.models import Checkpoint, Cosignature
from provenance.witness import witness_server
from tests.merkle_roots import root_of
from tests.provenance.conftest import NOW, WITNESS, Marked, grow, served

ORIGIN = "localhost/proofsheet"
LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(40)]
FORKED = [*LEAVES[:3], merkle.leaf_hash(b"another"), *LEAVES[4:]]
KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[tuple[witness_server.WitnessService, str]]:
    """A witness of the log `example.org/log`, and its address."""
    known = checkpoint.verifier_key("example.org/log", KEY.public_key())
    made = witness_server.opened(WITNESS, tmp_path / "witness", [known])
    with served(made) as url:
        yield made, url


def note_of(
    leaves: list[bytes], key: Ed25519PrivateKey = KEY, origin: str = "example.org/log"
) -> str:
    return checkpoint.sign(TreeHead(origin, len(leaves), root_of(leaves)), key=key)


def proof_between(leaves: list[bytes], old: int, size: int) -> tuple[bytes, ...]:
    ranges = merkle.consistency_ranges(old, size)
    return tuple(root_of(leaves[start:end]) for start, end in ranges)


def ask(url: str, asked: AddCheckpoint | bytes) -> http_post.Answer:
    body = asked if isinstance(asked, bytes) else witness_protocol.write(asked)
    return http_post.post(
        f"{url}add-checkpoint", body, content_type="text/plain", seconds=5, max_bytes=10_000
    )


def test_first_checkpoint_and_one_that_grew_are_cosigned(
    watching: tuple[witness_server.WitnessService, str],
) -> None:
    made, url = watching
    for old, size in ((0, 5), (5, 5), (5, 37)):
        proof = proof_between(LEAVES, old, size) if 0 < old < size else ()
        note = note_of(LEAVES[:size])
        answer = ask(url, AddCheckpoint(old, proof, note))
        assert answer.status == 200
        told = note + answer.body.decode()
        assert checkpoint.cosigned_at(told, name=WITNESS, key=made.key.public_key()) > 1_700_000_000
    assert made.size_of("example.org/log") == 37


def test_memory_outlives_the_witness(
    watching: tuple[witness_server.WitnessService, str], tmp_path: Path
) -> None:
    made, url = watching
    assert ask(url, AddCheckpoint(0, (), note_of(LEAVES[:20]))).status == 200
    known = checkpoint.verifier_key("example.org/log", KEY.public_key())
    again = witness_server.opened(WITNESS, tmp_path / "witness", [known])
    assert again.verifier_key == made.verifier_key
    with served(again) as other:
        answer = ask(other, AddCheckpoint(0, (), note_of(LEAVES[:5])))
    assert (answer.status, answer.body) == (409, b"20\n")


STRANGER = Ed25519PrivateKey.generate()


def line_of(text: str, key: Ed25519PrivateKey, *, named: Ed25519PrivateKey | None = None) -> str:
    """A signature line of a note's text, by one key under the id of another."""
    key_id = checkpoint.key_id("example.org/log", (named or key).public_key())
    blob = base64.b64encode(key_id + key.sign(text.encode())).decode()
    return f"\u2014 example.org/log {blob}\n"


def extended(size: int, *lines: str) -> str:
    root = root_of(LEAVES[:size])
    return checkpoint.sign(TreeHead("example.org/log", size, root, lines), key=KEY)


def empty_note(root: bytes) -> str:
    return checkpoint.sign(TreeHead("example.org/log", 0, root), key=KEY)


def grown(old: int = 9, size: int = 20) -> AddCheckpoint:
    return AddCheckpoint(old, proof_between(LEAVES, old, size), note_of(LEAVES[:size]))


def with_note(change: Callable[[str], str]) -> AddCheckpoint:
    """A request that would hold, but for its checkpoint."""
    return replace(grown(), note=change(note_of(LEAVES[:20])))


TEXT = note_of(LEAVES[:20]).partition("\n\n")[0] + "\n"
# Request, status, whether the witness cosigned nine leaves of the log before.
CASES: dict[str, tuple[AddCheckpoint | bytes, int, bool]] = {
    "grew": (grown(), 200, True),
    "first one": (AddCheckpoint(0, (), note_of(LEAVES[:9])), 200, False),
    "first one, empty": (AddCheckpoint(0, (), empty_note(merkle.EMPTY_ROOT)), 200, False),
    "same again": (AddCheckpoint(9, (), note_of(LEAVES[:9])), 200, True),
    "extension line": (AddCheckpoint(9, (), extended(9, "more", "to say")), 200, True),
    "a stranger's signature beside the log's": (
        with_note(lambda note: note + line_of(TEXT, STRANGER)),
        200,
        True,
    ),
    "the log's name, another key id": (
        with_note(lambda note: note + "\u2014 example.org/log AAAAAAAA\n"),
        200,
        True,
    ),
    "sixteen signatures": (
        with_note(lambda note: note + line_of(TEXT, STRANGER) * 15),
        200,
        True,
    ),
    "no request": (b"", 400, True),
    "no checkpoint": (b"old 9\n\ngarbage", 400, True),
    "no signature": (with_note(lambda note: TEXT + "\n"), 400, True),
    "leading zero": (b"old 09\n\n" + note_of(LEAVES[:20]).encode(), 400, True),
    "short hash": (b"old 9\nAAAA\n\n" + note_of(LEAVES[:20]).encode(), 400, True),
    "not UTF-8": (b"old 9\n" + b"A" * 43 + b"=\n\n\xff", 400, True),
    "64 hashes": (AddCheckpoint(9, (bytes(32),) * 64, note_of(LEAVES[:20])), 400, True),
    "a line that is no signature": (with_note(lambda note: note + "hello\n"), 400, True),
    "a control character": (
        with_note(lambda note: note.replace("\n\n", "\nmore\t\n\n")),
        400,
        True,
    ),
    "an empty extension line": (with_note(lambda note: note.replace("\n\n", "\n\n\n")), 400, True),
    "a root in another spelling": (
        with_note(lambda note: note.replace("=\n\n", "==\n\n")),
        400,
        True,
    ),
    "a size beyond any": (
        with_note(lambda note: note.replace("\n20\n", "\n9999999999999999999\n")),
        400,
        True,
    ),
    "old size beyond the checkpoint's": (AddCheckpoint(9, (), note_of(LEAVES[:5])), 400, True),
    "by a stranger": (AddCheckpoint(9, (), note_of(LEAVES[:20], STRANGER)), 403, True),
    "the log's key id, not its signature": (
        with_note(lambda note: TEXT + "\n" + line_of(TEXT, STRANGER, named=KEY)),
        403,
        True,
    ),
    "a second line with the log's key id": (
        with_note(lambda note: note + line_of(TEXT, STRANGER, named=KEY)),
        403,
        True,
    ),
    "a first line with the log's key id": (
        with_note(
            lambda note: TEXT + "\n" + line_of(TEXT, STRANGER, named=KEY) + line_of(TEXT, KEY)
        ),
        403,
        True,
    ),
    "a signature of other text": (
        with_note(lambda note: note.replace("\n\n", "\nmore\n\n")),
        403,
        True,
    ),
    "another log": (AddCheckpoint(0, (), note_of(LEAVES[:20], origin="example.org/x")), 404, True),
    "rolled back": (AddCheckpoint(5, (), note_of(LEAVES[:5])), 409, True),
    "forgot what it showed": (AddCheckpoint(0, (), note_of(LEAVES[:5])), 409, True),
    "forgot, with a proof": (AddCheckpoint(0, (bytes(32),), note_of(LEAVES[:20])), 409, True),
    "old size of another tree": (grown(10), 409, True),
    "never seen": (grown(), 409, False),
    "same size, another root": (AddCheckpoint(9, (), note_of(FORKED[:9])), 422, True),
    "a fork": (AddCheckpoint(9, proof_between(FORKED, 9, 20), note_of(FORKED[:20])), 422, True),
    "a fork with our proof": (replace(grown(), note=note_of(FORKED[:20])), 422, True),
    "no proof": (AddCheckpoint(9, (), note_of(LEAVES[:20])), 422, True),
    "same size with a proof": (AddCheckpoint(9, (bytes(32),), note_of(LEAVES[:9])), 422, True),
    "first one with a proof": (AddCheckpoint(0, (bytes(32),), note_of(LEAVES[:9])), 422, False),
    "empty with another root": (AddCheckpoint(0, (), empty_note(bytes(32))), 422, False),
}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "BREW"])
def test_other_methods_are_answered_in_plain_text(
    watching: tuple[witness_server.WitnessService, str], method: str
) -> None:
    _, url = watching
    opened = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    opened.request(method, "/add-checkpoint")
    answer = opened.getresponse()
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert b"<" not in answer.read()
    opened.close()


@pytest.mark.parametrize("name", CASES)
def test_every_case_of_the_specification(
    watching: tuple[witness_server.WitnessService, str], name: str
) -> None:
    """C2SP tlog-witness, add-checkpoint: what is answered, and that nothing else is remembered."""
    made, url = watching
    asked, status, has_seen = CASES[name]
    if has_seen:
        assert ask(url, AddCheckpoint(0, (), note_of(LEAVES[:9]))).status == 200
    before = made.size_of("example.org/log"), monitored(url)
    answer = ask(url, asked)
    assert answer.status == status
    if status == 200:
        assert isinstance(asked, AddCheckpoint)
        told = asked.note + answer.body.decode()
        assert checkpoint.cosigned_at(told, name=WITNESS, key=made.key.public_key()) > 1_700_000_000
        assert made.size_of("example.org/log") == checkpoint.parse(asked.note).tree_size
        return
    assert status != 409 or answer.body == b"%d\n" % before[0]
    assert "\u2014" not in answer.body.decode()
    assert (made.size_of("example.org/log"), monitored(url)) == before


def monitored(url: str, origin: str = "example.org/log") -> str | None:
    """The checkpoint that monitors get of a log; None for 404."""
    digest = hashlib.sha256(origin.encode()).hexdigest()
    try:
        with urllib.request.urlopen(f"{url}{digest}/checkpoint", timeout=5) as answer:
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        error.close()
        return None if error.code == 404 else f"answered {error.code}"


def test_monitors_get_the_last_checkpoint_with_the_lines_of_both(
    watching: tuple[witness_server.WitnessService, str],
) -> None:
    made, url = watching
    assert monitored(url) is None
    for asked in (AddCheckpoint(0, (), extended(9, "more")), grown()):
        stranger = line_of(checkpoint.parse(asked.note).text(), STRANGER)
        told = ask(url, replace(asked, note=asked.note + stranger))
        assert monitored(url) == asked.note + told.body.decode()  # the stranger's line is left out
    assert monitored(url, "example.org/other") is None
    note = monitored(url)
    assert note is not None
    assert checkpoint.verify(note, origin="example.org/log", key=KEY.public_key()).tree_size == 20
    assert checkpoint.cosigned_at(note, name=WITNESS, key=made.key.public_key())


def test_cosignature_covers_the_lines_that_a_log_adds(
    watching: tuple[witness_server.WitnessService, str],
) -> None:
    made, url = watching
    note = extended(9, "more")
    told = ask(url, AddCheckpoint(0, (), note)).body.decode()
    key = made.key.public_key()
    assert checkpoint.cosigned_at(note + told, name=WITNESS, key=key)
    for changed in (note_of(LEAVES[:9]), extended(9, "less")):
        with pytest.raises(checkpoint.NoteInvalid):
            checkpoint.cosigned_at(changed + told, name=WITNESS, key=key)


def test_memory_of_before_checkpoints_were_kept_is_read(tmp_path: Path) -> None:
    (tmp_path / "witness").mkdir()
    with closing(sqlite3.connect(tmp_path / "witness" / "seen.sqlite3")) as database, database:
        database.execute("CREATE TABLE seen (origin TEXT PRIMARY KEY, size INTEGER, root BLOB)")
        row = ["example.org/log", 9, root_of(LEAVES[:9])]
        database.execute("INSERT INTO seen VALUES (?, ?, ?)", row)
    known = checkpoint.verifier_key("example.org/log", KEY.public_key())
    made = witness_server.opened(WITNESS, tmp_path / "witness", [known])
    with served(made) as url:
        assert (made.size_of("example.org/log"), monitored(url)) == (9, None)
        assert ask(url, grown()).status == 200
        assert monitored(url) is not None


def test_connection_is_kept_for_the_next_request(
    watching: tuple[witness_server.WitnessService, str],
) -> None:
    _, url = watching
    address = urlsplit(url)
    body = witness_protocol.write(AddCheckpoint(0, (), note_of(LEAVES[:9])))
    kept = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    with closing(kept):
        for path, status in (("/x", 404), ("/add-checkpoint", 200), ("/add-checkpoint", 409)):
            kept.request("POST", path, body)
            answer = kept.getresponse()
            answer.read()
            assert (answer.status, answer.will_close) == (status, False)
        kept.putrequest("POST", "/add-checkpoint")
        kept.putheader("Content-Length", "9" * 5000)
        kept.endheaders()
        answer = kept.getresponse()
        assert (answer.status, answer.will_close) == (413, True)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_witness_runs_as_a_process_of_its_own_without_django(
    tmp_path: Path, ending: signal.Signals
) -> None:
    known = checkpoint.verifier_key("example.org/log", KEY.public_key())
    port = free_port()
    script = (
        "import sys; from provenance.witness import witness_server; sys.argv[0] = 'witness'\n"
        "assert 'django' not in sys.modules; sys.exit(witness_server.main())"
    )
    command = [sys.executable, "-c", script, "--name", WITNESS, "--folder", str(tmp_path / "w")]
    command += ["--log", known, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            name, key = checkpoint.parse_witness_key(process.stdout.readline())
            note = note_of(LEAVES[:5])
            answer = ask(f"http://127.0.0.1:{port}/", AddCheckpoint(0, (), note))
            process.send_signal(ending)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
    told = note + answer.body.decode()
    assert (name, checkpoint.cosigned_at(told, name=WITNESS, key=key) > 0) == (WITNESS, True)
    wrong = subprocess.run(
        [*command, "--log", "nonsense"], capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, "cannot start" in wrong.stderr) == (1, True)


def test_two_forks_at_once_get_one_cosignature(
    watching: tuple[witness_server.WitnessService, str],
) -> None:
    _, url = watching
    answers: list[int] = []
    start = threading.Barrier(2)

    def add(leaves: list[bytes]) -> None:
        start.wait()
        answers.append(ask(url, AddCheckpoint(0, (), note_of(leaves))).status)

    threads = [threading.Thread(target=add, args=(each,)) for each in (LEAVES[:9], FORKED[:9])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409]


@given(st.integers(0, 10**15), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_request_round_trips(old: int, proof: list[bytes]) -> None:
    asked = AddCheckpoint(old, tuple(proof), note_of(LEAVES[:2]))
    assert witness_protocol.read(witness_protocol.write(asked)) == asked


def test_house_serves_the_witness_s_line_beside_its_own(
    house: witness_server.WitnessService, client: Client
) -> None:
    for count in (3, 9):
        grow(count)
        assert cosigning.collect(at=NOW) == 1
    freshness.refresh(at=NOW)
    note = client.get("/log/checkpoint").text
    key = keyring().log_key.public_key()
    assert checkpoint.verify(note, origin=ORIGIN, key=key).tree_size == 12
    assert checkpoint.cosigned_at(note, name=WITNESS, key=house.key.public_key())
    assert checkpoint.cosigned_at(note, name=ORIGIN, key=key)
    assert cosigning.collect(at=NOW) == 0
    assert cosigning.collect(at=NOW + timedelta(minutes=2)) == 1


def test_proof_leads_to_the_tree_that_was_witnessed(
    house: witness_server.WitnessService, client: Client, astronaut: Marked
) -> None:
    cosigning.collect(at=NOW)
    grow(5)
    proof = proof_file.read(proofs.of_asset(astronaut.id))
    assert checkpoint.parse(proof.note).tree_size == 1
    assert checkpoint.cosigned_at(proof.note, name=WITNESS, key=house.key.public_key())
    page = client.get("/log/entry/0/").text
    assert f"<b>{WITNESS}</b>" in page
    assert "The proof holds" in page
    assert WITNESS not in client.get("/log/entry/3/").text


def test_house_that_forgot_what_was_cosigned_asks_again(
    house: witness_server.WitnessService,
) -> None:
    grow(4)
    assert cosigning.collect(at=NOW) == 1
    Cosignature.objects.all().delete()
    grow(3)
    assert cosigning.collect(at=NOW) == 1


def test_witness_that_is_away_holds_up_nothing(db: None, settings: Settings) -> None:
    key = checkpoint.witness_key("away.example", Ed25519PrivateKey.generate().public_key())
    settings.PROOFSHEET_LOG_WITNESSES = [f"{key} http://127.0.0.1:9/"]
    grow(1)
    assert cosigning.collect(at=NOW) == 0
    assert freshness.latest_note() == Checkpoint.objects.get().note
    assert Cosignature.objects.get().problem == "server_unanswered"


def test_witness_that_signs_something_else_is_refused(
    house: witness_server.WitnessService, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The address answers, but with another key than the settings name."""
    (said,) = settings.PROOFSHEET_LOG_WITNESSES
    other = checkpoint.witness_key(WITNESS, Ed25519PrivateKey.generate().public_key())
    settings.PROOFSHEET_LOG_WITNESSES = [f"{other} {said.split(' ')[1]}"]
    grow(1)
    assert cosigning.collect(at=NOW) == 0
    assert "does not verify" in caplog.text


@pytest.mark.parametrize(
    "said", ["nonsense", "a+b+c http://x/", "", "{key} ftp://x/", "{key} http://x"]
)
def test_setting_that_cannot_be_read_is_named(db: None, settings: Settings, said: str) -> None:
    key = checkpoint.witness_key(WITNESS, KEY.public_key())
    settings.PROOFSHEET_LOG_WITNESSES = [said.format(key=key)]
    grow(1)
    with pytest.raises(ImproperlyConfigured, match="LOG_WITNESSES"):
        cosigning.collect(at=NOW)


def test_log_s_own_key_does_not_pass_for_a_witness() -> None:
    with pytest.raises(checkpoint.NoteInvalid, match="another algorithm"):
        checkpoint.parse_witness_key(checkpoint.verifier_key(WITNESS, KEY.public_key()))


def test_redirect_is_an_answer_and_not_followed() -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Tests print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{listening.server_address[1]}/"
        answer = http_post.post(url, b"", content_type="text/plain", seconds=5, max_bytes=100)
        listening.shutdown()
    assert answer.status == 307


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://127.0.0.1:9/", "nonsense"])
def test_server_that_cannot_be_asked_is_unanswered(url: str) -> None:
    with pytest.raises(http_post.Unanswered):
        http_post.post(url, b"", content_type="text/plain", seconds=5, max_bytes=1)
