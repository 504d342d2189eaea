"""Bodies are bounded before Django writes them to its disk: size, time and sender."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from redis.exceptions import RedisError

from config.asgi import application
from config.web import senders
from config.web.early_answers import EarlyAnswer, Message, Receive, Scope, Send
from config.web.request_limits import SIGN_IN_FIRST, UPLOADS_MAX, BodyPace, BoundedBodies, Bounds
from moderation.account_status import restrictions
from tests.factories import make_key, make_model

BOUNDS = Bounds(
    anybody=10,
    anybody_at={"/verify/": 50},
    account=20,
    account_at={"/adapters/upload/": 100, "/api/v1/adapters/": 100},
)
UNHURRIED = BodyPace(idle_s=600, grace_s=600, answer_s=600)


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads like Django: all of the body, or nothing is answered once the client has gone."""
    size, is_last = 0, False
    while not is_last:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        is_last = not message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def scope_of(path: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> Scope:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers], "server": ("localhost", 80),
        "client": ("192.0.2.7", 4000),
    }  # fmt: skip


@dataclass
class Line:
    """A client: `chunks` arrive, all of its body unless it stalls, then nothing more."""

    chunks: Sequence[bytes]
    stalls: bool = False
    taken: int = 0
    sent: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._arriving: Iterator[bytes] = iter(self.chunks)

    async def receive(self) -> Message:
        chunk = next(self._arriving, None)
        if chunk is None:
            await asyncio.Event().wait()
        assert chunk is not None
        self.taken += 1
        more = self.stalls or self.taken < len(self.chunks)
        return {"type": "http.request", "body": chunk, "more_body": more}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def ask(
    app: Any,
    path: str,
    line: Line,
    *,
    declared: int | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> tuple[int, bytes]:
    """Status and body that `app` answers to a POST over that line."""
    length = [] if declared is None else [(b"content-length", str(declared).encode())]
    asyncio.run(app(scope_of(path, [*headers, *length]), line.receive, line.send))
    start, body = line.sent
    return start["status"], body["body"]


async def nobody(scope: Scope) -> int | EarlyAnswer:
    return SIGN_IN_FIRST


async def alice_sends(scope: Scope) -> int | EarlyAnswer:
    return 7


def bounded(identify: Any = nobody, app: Any = _echo, pace: BodyPace = UNHURRIED) -> BoundedBodies:
    return BoundedBodies(app, bounds=BOUNDS, identify=identify, pace=pace)


@pytest.mark.parametrize("declared", [10, None])
def test_body_within_the_bound_arrives_whole(declared: int | None) -> None:
    assert ask(bounded(), "/", Line([b"12345", b"67890"]), declared=declared) == (200, b"10")


@pytest.mark.parametrize(
    ("path", "size"), [("/", 21), ("/verify/", 51), ("/adapters/upload/", 101)]
)
@pytest.mark.parametrize("is_declared", [True, False])
def test_body_over_every_bound_is_refused(path: str, size: int, is_declared: bool) -> None:
    line = Line([b"x" * (size - 1), b"x"])
    status, body = ask(bounded(alice_sends), path, line, declared=size if is_declared else None)
    assert (status, b"(too_large)" in body) == (413, True)
    assert line.taken == (0 if is_declared else 2)


def test_client_that_declares_less_than_it_sends_is_refused_too() -> None:
    assert ask(bounded(alice_sends), "/", Line([b"x" * 21]), declared=3)[0] == 413


@pytest.mark.parametrize("path", ["/adapters/upload/", "/api/v1/adapters/", "/studio/submit/"])
def test_nobodys_large_body_is_refused_before_a_byte_of_it_is_read(path: str) -> None:
    line = Line([b"x" * 15])
    status, body = ask(bounded(), path, line, declared=15)
    assert (status, line.taken) == (401, 0)
    assert b"not_authenticated" in body


def test_nobodys_undeclared_body_is_cut_where_it_passes_the_bound() -> None:
    line = Line([b"x" * 9] * 5)
    assert ask(bounded(), "/adapters/upload/", line)[0] == 401
    assert line.taken == 2


@pytest.mark.parametrize("declared", [100, None])
def test_who_signed_in_sends_more(declared: int | None) -> None:
    line = Line([b"x" * 60, b"x" * 40])
    assert ask(bounded(alice_sends), "/adapters/upload/", line, declared=declared) == (200, b"100")


@pytest.mark.parametrize("path", ["/verify/", "/verify"])
def test_verify_takes_a_picture_from_anybody(path: str) -> None:
    assert ask(bounded(), path, Line([b"x" * 50]), declared=50) == (200, b"50")


def test_uploads_of_one_account_on_their_way_at_once_are_bounded() -> None:
    async def run() -> tuple[list[int], int]:
        door = bounded(alice_sends)
        stalled = [Line([b"x" * 15], stalls=True) for _ in range(UPLOADS_MAX)]
        scope = scope_of("/adapters/upload/", [(b"content-length", b"90")])
        tasks = [asyncio.create_task(door(scope, each.receive, each.send)) for each in stalled]
        while any(line.taken == 0 for line in stalled):
            await asyncio.sleep(0)
        one_more = Line([b"x" * 90])
        await door(scope, one_more.receive, one_more.send)
        small = Line([b"x"])
        await door(scope_of("/"), small.receive, small.send)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        after = Line([b"x" * 90])
        await door(scope, after.receive, after.send)
        return [line.sent[0]["status"] for line in (one_more, small, after)], one_more.taken

    assert asyncio.run(run()) == ([429, 200, 200], 0)


def test_a_body_that_stalls_is_ended() -> None:
    line = Line([b"abc"], stalls=True)
    status, body = ask(bounded(pace=BodyPace(idle_s=0.01)), "/api/v1/x/", line, declared=9)
    assert (status, b'"code": "body_too_slow"' in body) == (408, True)


@pytest.mark.parametrize(
    ("passed_s", "received", "patience_s"),
    [(0, 0, 15), (20, 0, 10), (30, 0, 0), (31, 8192, 0), (31, 10 * 8192, 9), (900, 2**30, 15)],
)
def test_a_body_that_drips_runs_out_of_time(
    passed_s: float, received: int, patience_s: float
) -> None:
    assert BodyPace().patience_s(passed_s=passed_s, received_bytes=received) == patience_s


def test_a_reader_that_takes_nothing_counts_as_gone() -> None:
    ended: list[str] = []

    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        """Like Django: a leaving client cancels the answer."""
        await receive()

        async def answer() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

        sending = asyncio.create_task(answer())
        ended.append((await receive())["type"])
        sending.cancel()

    async def never(message: Message) -> None:
        await asyncio.Event().wait()

    line = Line([b""], stalls=False)

    async def receive() -> Message:
        if line.taken:
            await asyncio.Event().wait()
        return await line.receive()

    asyncio.run(bounded(app=streams, pace=BodyPace(answer_s=0.01))(scope_of("/"), receive, never))
    assert ended == ["http.disconnect"]


def test_house_refuses_a_huge_declared_body_without_reading_it() -> None:
    assert ask(application, "/verify/", Line([]), declared=2**40)[0] == 413


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/api/v1/adapters/", "/adapters/upload/", "/studio/submit/"])
def test_house_reads_a_large_body_only_from_who_signed_in(
    path: str, client: Client, alice: User
) -> None:
    size, line = 3 * 2**20, Line([b"x" * 2**20] * 3)
    assert ask(application, path, line, declared=size)[0] == 401
    assert line.taken == 0
    asyncio.run(application(_from(client, alice, path, size), line.receive, line.send))
    assert line.taken == 3


@pytest.mark.django_db(transaction=True)
def test_house_reads_no_large_body_of_a_suspended_account(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def suspended(*_: Any, **__: Any) -> None:
        raise restrictions.AccountSuspended

    monkeypatch.setattr(restrictions, "check", suspended)
    line = Line([b"x"])
    scope = _from(client, alice, "/api/v1/adapters/", 2**21)
    asyncio.run(application(scope, line.receive, line.send))
    assert (line.sent[0]["status"], line.taken) == (403, 0)
    assert b"account_suspended" in line.sent[1]["body"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("scopes", "status", "code", "taken"),
    [
        ((), 415, b"unsupported_media_type", 1),
        (("read",), 403, b"key_scope_missing", 0),
        (None, 401, b"key_not_good", 0),
    ],
)
def test_house_asks_a_key_for_its_scope_before_the_body(
    alice: User, scopes: tuple[str, ...] | None, status: int, code: bytes, taken: int
) -> None:
    key = "ps_key_nobodys" if scopes is None else make_key(alice, *scopes)
    line = Line([b"x" * 2**21])
    headers = [(b"authorization", b"Bearer " + key.encode()), (b"content-type", b"text/plain")]
    told, body = ask(application, "/api/v1/adapters/", line, declared=2**21, headers=headers)
    assert (told, code in body, line.taken) == (status, True, taken)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/api/v1/adapters/", "/adapters/upload/"])
def test_house_takes_a_cookie_that_names_no_session_for_nobodys(path: str) -> None:
    line, headers = Line([b"x"]), [(b"cookie", b'sessionid="\\000aaaaaaaaaa"')]
    status, body = ask(application, path, line, declared=2**21, headers=headers)
    assert (status, b"not_authenticated" in body, line.taken) == (401, True, 0)


FORM = (
    b'--x\r\nContent-Disposition: form-data; name="%s"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\nno picture\r\n--x--\r\n"
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize(
    ("path", "kind", "body", "code"),
    [
        ("/v1/images/generations", b"application/json", b'{"prompt": ""}', b"prompt_empty"),
        ("/api/v1/generations/", b"application/json", b'{"prompt": ""}', b"prompt_empty"),
        ("/v1/images/edits", b"multipart/form-data; boundary=x", FORM % b"image", b"prompt: This"),
        ("/api/v1/verify/", b"multipart/form-data; boundary=x", FORM % b"file", b"not_a_picture"),
    ],
)
def test_house_reads_a_body_that_comes_in_chunks(
    path: str, kind: bytes, body: bytes, code: bytes, is_declared: bool, alice: User
) -> None:
    make_model()
    headers = [(b"authorization", b"Bearer " + make_key(alice).encode()), (b"content-type", kind)]
    line, size = Line([body[:7], body[7:]]), len(body) if is_declared else None
    _, told = ask(application, path, line, declared=size, headers=headers)
    assert code in told


@pytest.mark.parametrize("path", ["/api/v1/verify/", "/verify/", "/api/v1/adapters/"])
@pytest.mark.parametrize("size", [2, 2**21])
def test_headers_that_cannot_be_read_are_told(path: str, size: int) -> None:
    headers = [(b"content-type", b"application/json; charset*=nonsense''x")]
    status, body = ask(application, path, Line([b"{}"]), declared=size, headers=headers)
    assert status == 400
    assert b"The request could not be read." in body
    assert (b"bad_request" in body) or not path.startswith("/api/")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("the database is away"), 503, b"unavailable"),
        (RedisError("the cache is away"), 503, b"unavailable"),
        (ValueError("a mistake of ours"), 500, b"server_error"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/adapters/", "/adapters/upload/"])
@pytest.mark.django_db(transaction=True)
def test_a_sender_who_cannot_be_asked_after_is_told_so(
    monkeypatch: pytest.MonkeyPatch, path: str, error: Exception, status: int, code: bytes
) -> None:
    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr(senders, "account_of", fails)
    line = Line([b"x"])
    told, body = ask(application, path, line, declared=2**21)
    assert (told, code in body, line.taken) == (status, True, 0)
    assert str(error).encode() not in body
    assert ((b"retry-after", b"10") in line.sent[0]["headers"]) == (status == 503)


def _from(client: Client, user: User, path: str, size: int) -> Scope:
    client.force_login(user)
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    headers = [(b"cookie", cookie), (b"content-length", str(size).encode())]
    return scope_of(path, [*headers, (b"content-type", b"application/octet-stream")])
