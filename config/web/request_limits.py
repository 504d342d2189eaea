"""Bounds a request's body before Django sees it: its size, its time, and whose it is.

Under ASGI Django spools the whole body to disk before any view or form can refuse it, so a bound
in a view comes too late. What anybody may send is small; who sends more says first who they are,
and only so many such bodies of one account are on their way at once. A body that stalls, or drips
more slowly than any real line, is ended. Pure ASGI, no Django.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from config.web.early_answers import EarlyAnswer, Message, Receive, Scope, Send, refuse

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], Awaitable[int | EarlyAnswer]]

UPLOADS_MAX = 4  # large bodies of one account on their way at once, in one web process
SIGN_IN_FIRST = EarlyAnswer(
    status=401,
    code="not_authenticated",
    title="A body of this size is taken only from who has signed in.",
    detail="Sign in, or send your API key, and send it again.",
    headers=((b"www-authenticate", b"Bearer"),),
)
TOO_MANY_UPLOADS = EarlyAnswer(
    status=429,
    code="too_many_uploads",
    title=f"{UPLOADS_MAX} uploads of this account are on their way already.",
    detail="Wait until one has arrived, then send the next.",
    headers=((b"retry-after", b"5"),),
)
TOO_SLOW = EarlyAnswer(
    status=408,
    code="body_too_slow",
    title="The rest of the request's body did not arrive in time.",
    detail="Send it again over a line that keeps up.",
)


def too_large(limit: int) -> EarlyAnswer:
    """For a body of more than `limit` bytes."""
    return EarlyAnswer(
        status=413,
        code="too_large",
        title=f"The body is larger than this address accepts: {limit} bytes.",
        detail="Send a smaller one.",
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of a body, by path: from anybody, and from who has signed in. A path that lacks its
    last slash has the bound of the one that it is led to."""

    anybody: int
    account: int
    anybody_at: Mapping[str, int] = field(default_factory=dict)
    account_at: Mapping[str, int] = field(default_factory=dict)

    def of_anybody(self, path: str) -> int:
        return _at(path, self.anybody_at, self.anybody)

    def of_account(self, path: str) -> int:
        return max(_at(path, self.account_at, self.account), self.of_anybody(path))


def _at(path: str, bounds: Mapping[str, int], otherwise: int) -> int:
    return bounds.get(path, bounds.get(f"{path}/", otherwise))


@dataclass(frozen=True, slots=True)
class BodyPace:
    """How slowly a body may come and an answer may go.

    The next part of a body comes within `idle_s`, and all of it at `bytes_a_second` or more after
    the first `grace_s`. A part of an answer is taken by the client within `answer_s`.
    """

    idle_s: float = 15.0
    grace_s: float = 30.0
    bytes_a_second: int = 8 * 1024
    answer_s: float = 60.0

    def patience_s(self, *, passed_s: float, received_bytes: int) -> float:
        """How long the next part may take, after `passed_s` seconds."""
        whole_s = self.grace_s + received_bytes / self.bytes_a_second
        return max(0.0, min(self.idle_s, whole_s - passed_s))


class BoundedBodies:
    """Answers 413, 401, 429 or 408 in place of an application that would read such a body.

    A declared length is judged without reading; an undeclared one when it passes a bound.
    `identify` is asked only about a body larger than what anybody may send.
    """

    def __init__(
        self, app: Application, *, bounds: Bounds, identify: Identify, pace: BodyPace | None = None
    ) -> None:
        self._app = app
        self._bounds = bounds
        self._identify = identify
        self._pace = pace or BodyPace()
        self._uploads: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watch = _BodyWatch(self, scope, receive, send)
        try:
            if await watch.lets_in(_declared(scope)):
                await self._app(scope, watch.receive, watch.send)
            if watch.refusal and not watch.has_answered:
                await refuse(scope, send, watch.refusal)
        finally:
            watch.end()


class _BodyWatch:
    """One request: counts what arrives; past a bound the application is told that the client has
    gone."""

    def __init__(self, door: BoundedBodies, scope: Scope, receive: Receive, send: Send) -> None:
        self._door = door
        self._scope, self._receive, self._send = scope, receive, send
        self._limit = door._bounds.of_anybody(scope["path"])
        self._most = door._bounds.of_account(scope["path"])
        self._clock = asyncio.get_running_loop().time
        self._began_at = self._clock()
        self._received = 0
        self._is_whole = False
        self._uploader: int | None = None
        self._left = asyncio.Event()
        self.refusal: EarlyAnswer | None = None
        self.has_answered = False

    async def lets_in(self, size: int) -> bool:
        """Whether a body of `size` bytes may come; else `refusal` says why not."""
        if size <= self._limit:
            return True
        if size > self._most:
            self.refusal = too_large(self._most)
            return False
        found = await self._door._identify(self._scope)
        if isinstance(found, EarlyAnswer):
            self.refusal = found
        elif self._door._uploads[found] >= UPLOADS_MAX:
            self.refusal = TOO_MANY_UPLOADS
        else:
            self._door._uploads[found] += 1
            self._uploader = found
            self._limit = self._most
        return self.refusal is None

    def end(self) -> None:
        if self._uploader is not None:
            self._door._uploads -= Counter([self._uploader])
            self._uploader = None

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._until_gone()
        pace = self._door._pace
        patience_s = pace.patience_s(
            passed_s=self._clock() - self._began_at, received_bytes=self._received
        )
        try:
            message = await asyncio.wait_for(self._receive(), patience_s)
        except TimeoutError:
            self.refusal = TOO_SLOW
            return {"type": "http.disconnect"}
        self._received += len(message.get("body", b""))
        if not await self.lets_in(self._received):
            return {"type": "http.disconnect"}
        self._is_whole = not message.get("more_body", False)
        if self._is_whole:
            self.end()
        return message

    async def _until_gone(self) -> Message:
        """The client leaves, or is taken for gone because it does not take its answer."""
        waits = {
            asyncio.ensure_future(self._receive()),
            asyncio.ensure_future(self._left.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.has_answered = True
        try:
            await asyncio.wait_for(self._send(message), self._door._pace.answer_s)
        except TimeoutError:
            self._left.set()
            await asyncio.Event().wait()  # until the application, told so, ends this request


def _declared(scope: Scope) -> int:
    """The length that the client declares, 0 for none or nonsense (the count then decides)."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return 0
