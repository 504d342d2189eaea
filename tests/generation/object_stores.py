"""Where private files may lie: a folder of this host, or a bucket of a server that runs beside."""

from __future__ import annotations

import logging
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import boto3
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import FileField
from django.test import Client
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings

from adapters.models import Adapter, BaseModel
from adapters.uploads import check_job
from config.launch.child_processes import free_port
from generation.models import GenerationRequest, RequestAdapter
from tests.clients import install
from tests.factories import make_request
from tests.fakes import FrozenClock

BUCKET, REGION = "private-files", "eu-central-1"
KEY = "S3RVER"  # and its secret: the only ones that s3rver knows; moto takes any
S3, FOLDER = "config.storage.private_s3.PrivateS3", "django.core.files.storage.FileSystemStorage"


@dataclass
class Folder:
    """A folder of this host, as most houses have it."""

    path: Path
    backend = FOLDER

    def names(self) -> list[str]:
        """Of all files in it."""
        return sorted(str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file())

    def put(self, name: str, content: bytes) -> None:
        """Past the house, as a disk that decays."""
        (self.path / name).write_bytes(content)

    def empty(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def options(self) -> dict[str, object]:
        """As an operator writes them into PRIVATE_STORAGE_OPTIONS."""
        return {"location": str(self.path)}


@dataclass
class ObjectStore:
    """A server of S3's protocol on this host, with one empty bucket."""

    url: str
    backend = S3

    def __post_init__(self) -> None:
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=KEY,
            region_name=REGION,
        )

    def names(self) -> list[str]:
        """Of all files in it, without the house's own folder of the bucket."""
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(each["Key"].removeprefix("media/") for each in found)

    def put(self, name: str, content: bytes) -> None:
        """Past the house."""
        self.client.put_object(Bucket=BUCKET, Key=f"media/{name}", Body=content)

    def empty(self) -> None:
        for name in self.names():
            self.client.delete_object(Bucket=BUCKET, Key=f"media/{name}")

    def options(self, **more: object) -> dict[str, object]:
        """As an operator writes them into PRIVATE_STORAGE_OPTIONS."""
        return {
            **{"bucket_name": BUCKET, "endpoint_url": self.url, "region_name": REGION},
            **{"access_key": KEY, "secret_key": KEY, "addressing_style": "path"},
            **{"location": "media"},
            **more,
        }


@contextmanager
def moto() -> Iterator[ObjectStore]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        store = ObjectStore(f"http://127.0.0.1:{port}")
        with suppress(store.client.exceptions.BucketAlreadyOwnedByYou):  # of this process's last
            store.client.create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        yield store
    finally:
        server.stop()


@contextmanager
def s3rver(folder: Path) -> Iterator[ObjectStore]:
    """The same of other people's: what moto gets wrong it mostly has right, and the reverse."""
    node, program = install.s3rver()
    port = free_port()
    words = ["-d", str(folder), "-a", "127.0.0.1", "-p", str(port), "-s", "--no-vhost-buckets"]
    server = subprocess.Popen(
        [node, program, *words, "--configure-bucket", BUCKET], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout
        while b"listening" not in (line := server.stdout.readline()):
            assert line, "s3rver has ended; its complaint is above"
        yield ObjectStore(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.communicate()


@contextmanager
def answering(status: int, code: str, *, page: str = "") -> Iterator[str]:
    """The address of a store that refuses everything so, or of a server that shows a page."""

    class Refusal(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = (page or f"<Error><Code>{code}</Code></Error>").encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server, _serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def distrusted(folder: Path) -> Iterator[str]:
    """The address of a store whose certificate nobody but itself has signed."""
    own = folder / "own.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", own, "-out", folder / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", own)

    class Secure(StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ssl.SSLError), context.wrap_socket(self.request, server_side=True):
                """Nobody comes so far."""

    with ThreadingTCPServer(("127.0.0.1", 0), Secure) as server, _serving(server):
        yield f"https://127.0.0.1:{server.server_address[1]}"


@contextmanager
def hanging_up() -> Iterator[str]:
    """The address of a balancer that starts again: it ends each handshake at the first word."""

    class HangsUp(StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)

    with ThreadingTCPServer(("127.0.0.1", 0), HangsUp) as server, _serving(server):
        yield f"https://127.0.0.1:{server.server_address[1]}"


@contextmanager
def _serving(server: BaseServer) -> Iterator[None]:
    serving = Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    yield
    server.shutdown()
    serving.join()


@contextmanager
def used(settings: Settings, backend: str, options: Mapping[str, object]) -> Iterator[None]:
    """The same for as long as the block runs."""
    before = settings.STORAGES["private"]
    use(settings, backend, options)
    yield
    use(settings, before["BACKEND"], before["OPTIONS"])


def use(settings: Settings, backend: str, options: Mapping[str, object]) -> None:
    """Have every private file lie there, as a house has it that starts with these settings."""
    settings.STORAGES = {**settings.STORAGES, "private": {"BACKEND": backend, "OPTIONS": options}}
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, FileField) and hasattr(field, "_storage_callable"):
                field.storage = storages["private"]


def upload(client: Client, content: bytes, *, clock: FrozenClock) -> Adapter:
    """As the page and the worker do."""
    file = SimpleUploadedFile("Ink style.safetensors", content)
    answer = client.post("/adapters/upload/", {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    adapter = Adapter.objects.get(slug=answer["Location"].strip("/").split("/")[-1])
    check_job.validate(adapter.id, now=clock)
    adapter.refresh_from_db()
    return adapter


def ask(owner: User, model: BaseModel, adapter: Adapter, **said: Any) -> GenerationRequest:
    """A request that wears the adapter, and waits."""
    request = make_request(owner, model, **said)
    RequestAdapter.objects.create(
        request=request, adapter=adapter, weight=1.0, sha256=adapter.sha256, position=0
    )
    return request
