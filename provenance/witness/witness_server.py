"""A small witness of transparency logs (C2SP tlog-witness): no Django, one SQLite file.

    python -m provenance.witness --name example.org/witness --folder DIR --log VERIFIER_KEY

It watches the logs whose verifier keys it is given (`/log/keys` of a house lists them; several of
one log while its keys overlap), answers `POST /add-checkpoint`, and prints its own key at the
start: that goes into the setting LOG_WITNESSES of the house that it watches. Monitors get the last
checkpoint that it cosigned of a log at `GET /HEX/checkpoint`, HEX being the SHA-256 of its origin.
"""

import argparse
import re
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.core.errors import ProofsheetError
from provenance.keys import certificates, key_folder
from provenance.log.formats import checkpoint, witness_protocol
from provenance.log.formats.checkpoint import NoteInvalid
from provenance.log.formats.witness_protocol import (
    MAX_REQUEST_BYTES,
    LogKeys,
    SeenTree,
    SizeConflict,
)

SECONDS = 10
SUBMITTED_TO = "/add-checkpoint"
_MONITORED = re.compile(r"/([0-9a-f]{64})/checkpoint")
_LENGTH = re.compile(r"[0-9]{1,9}")


class Memory:
    """The largest tree seen of each log, on disk before it is cosigned."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS seen"
                " (origin TEXT PRIMARY KEY, size INTEGER, root BLOB, note TEXT)"
            )
            columns = {row[1] for row in database.execute("PRAGMA table_info(seen)")}
            if "note" not in columns:  # made before the checkpoints themselves were kept
                database.execute("ALTER TABLE seen ADD COLUMN note TEXT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=SECONDS, isolation_level=None)) as opened:
            opened.execute("PRAGMA synchronous = FULL")
            yield opened

    @contextmanager
    def locked(self, origin: str) -> Iterator[tuple[sqlite3.Connection, SeenTree]]:
        """What was seen of a log; nobody else changes it inside the block."""
        with self._opened() as database:
            database.execute("BEGIN IMMEDIATE")
            query = "SELECT size, root FROM seen WHERE origin = ?"
            row = database.execute(query, [origin]).fetchone()
            try:
                yield database, SeenTree(*row) if row else SeenTree()
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def note_of(self, origin: str) -> str | None:
        """The last checkpoint that was cosigned of a log, with the lines of both."""
        with self._opened() as database:
            row = database.execute("SELECT note FROM seen WHERE origin = ?", [origin]).fetchone()
        return row[0] if row else None


@dataclass(frozen=True, slots=True)
class WitnessService:
    """A name, a key, the logs that it watches, and what it remembers of them."""

    name: str
    key: Ed25519PrivateKey
    logs: LogKeys
    memory: Memory

    def add_checkpoint(self, body: bytes, *, unix_time: int) -> str:
        """The cosignature line of a checkpoint that holds. Raises `ProofsheetError`."""
        asked = witness_protocol.read(body)
        head, lines = witness_protocol.signed_head(asked.note, logs=self.logs)
        line = checkpoint.cosign(head, name=self.name, key=self.key, unix_time=unix_time)
        note = checkpoint.with_lines(asked.note, lines) + line
        with self.memory.locked(head.origin) as (database, seen):
            witness_protocol.check(asked, head, seen)
            database.execute(
                "INSERT INTO seen (origin, size, root, note) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (origin)"
                " DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note",
                [head.origin, head.tree_size, head.root_hash, note],
            )
        return line

    def cosigned(self, origin_sha256: str) -> str | None:
        """The last checkpoint that was cosigned of the log whose origin has that digest."""
        for origin in self.logs:
            if sha256(origin.encode()).hexdigest() == origin_sha256:
                return self.memory.note_of(origin)
        return None

    def size_of(self, origin: str) -> int:
        with self.memory.locked(origin) as (_, seen):
            return seen.size

    @property
    def verifier_key(self) -> str:
        return checkpoint.witness_key(self.name, self.key.public_key())


class WitnessServer(ThreadingHTTPServer):
    """Answers for the witness over HTTP; the caller runs it. Port 0 takes any that is free."""

    daemon_threads = True

    def __init__(self, witness: WitnessService, host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.witness = witness


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    timeout = SECONDS
    protocol_version = "HTTP/1.1"  # logs ask again and again over one connection

    def do_GET(self) -> None:
        if self.path == SUBMITTED_TO:
            self._answer(405, "no such method\n")
            return
        asked = _MONITORED.fullmatch(self.path)
        note = self.server.witness.cosigned(asked[1]) if asked else None
        if note is None:
            self._answer(404, "not found\n")
        else:
            self._answer(200, note)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True  # its body is not read
            self._answer(413 if length.isdecimal() else 411, "no such body\n")
            return
        body = self.rfile.read(int(length))
        if self.path != SUBMITTED_TO:
            self._answer(405 if _MONITORED.fullmatch(self.path) else 404, "not found\n")
            return
        try:
            line = self.server.witness.add_checkpoint(body, unix_time=int(time.time()))
            self._answer(200, line)
        except SizeConflict as conflict:
            self._answer(409, f"{conflict.size}\n", witness_protocol.SIZE_TYPE)
        except ProofsheetError as error:
            self._answer(error.status, f"{error.message}\n")

    def _answer(self, status: int, text: str, kind: str = "text/plain") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if "plain" in kind else kind)
        self.send_header("Content-Length", str(len(data)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST" if self.path == SUBMITTED_TO else "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the server itself refuses, in plain text as all else. A method that it has no
        function for is one that no address here takes.
        """
        self.close_connection = True  # a body that came along is not read
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "no such method\n")
        else:
            self._answer(code, f"{message or 'no such request'}\n")

    def log_message(self, *args: object) -> None:
        """Who asks is nobody's business."""


def opened(name: str, folder: Path, verifier_keys: Sequence[str]) -> WitnessService:
    """The witness of a folder; its key is made at the first start.

    Raises:
        NoteInvalid: a verifier key cannot be read.
        OSError, ValueError: the folder cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "witness.key"
    if not path.exists():
        key_folder.write(path, certificates.private_pem(Ed25519PrivateKey.generate()))
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("witness.key is not an Ed25519 key")
    logs: dict[str, list[Ed25519PublicKey]] = {}
    for text in verifier_keys:
        origin, public = checkpoint.parse_verifier_key(text)
        logs.setdefault(origin, []).append(public)
    return WitnessService(name, key, logs, Memory(folder / "seen.sqlite3"))


def main() -> int:
    """Run a witness until it is interrupted; the exit status."""
    parser = argparse.ArgumentParser(prog="provenance.witness", description=__doc__)
    parser.add_argument("--name", required=True, help="such as example.org/witness")
    parser.add_argument("--folder", type=Path, required=True, help="key and memory lie here")
    parser.add_argument("--log", action="append", required=True, help="a log's verifier key")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900)
    chosen = parser.parse_args()
    try:
        witness = opened(chosen.name, chosen.folder, chosen.log)
        listening = WitnessServer(witness, chosen.host, chosen.port)
    except (NoteInvalid, OSError, ValueError) as error:
        print(f"The witness cannot start: {error}", file=sys.stderr)
        return 1
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    print(witness.verifier_key, flush=True)
    try:
        listening.serve_forever()
    except KeyboardInterrupt:
        listening.server_close()
    return 0
