"""The calls: ask for pictures, follow them, fetch them, contest a refusal, verify a file."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from proofsheet.answers import Answer, Generation, Picture, Refusal, Report, generation_of
from proofsheet.connection import send
from proofsheet.errors import Damaged, Invalid, NotFound, Refused, TimedOut

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORTEST_S, LONGEST_S = 0.25, 2.0  # between two looks at a generation
File = str | PathLike[str] | bytes


class Client:
    """Everything that a key of a house may do. Every call raises HouseError, or one of its kinds.

    Calls are repeated where that is safe: after `Retry-After`, and after a lost answer where
    nothing would be done twice. Use it as a context manager, or `close()` it.
    """

    def __init__(
        self,
        base_url: str,
        key: str = "",
        *,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"User-Agent": "proofsheet-python/0.1"}
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/api/v1/",
            headers=headers | ({"Authorization": f"Bearer {key}"} if key else {}),
            timeout=httpx.Timeout(timeout_s, connect=10.0),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the sockets."""
        self._http.close()

    def models(self) -> list[Answer]:
        """The models that requests may name, the default one first."""
        return [Answer(each) for each in self._get("models/").json()]

    def submit(
        self,
        prompt: str,
        *,
        picture: File | None = None,
        mask: File | None = None,
        idempotency_key: str | None = None,
        **more: Any,
    ) -> Generation:
        """Ask for images and return at once. `more` has the names of the API: `model`, `seed`,
        `width`, `height`, `count`, `negative_prompt`, `adapters`, `steps`, `strength` and others.
        What is white in a `mask` of the `picture`'s size is painted anew.

        Sent twice under one key it is made once; each call has a key of its own unless it is named.
        """
        said: dict[str, Any] = {"prompt": prompt, **more}
        sent = {"picture": picture, "mask": mask}
        files = {name: (name, _bytes(file)) for name, file in sent.items() if file is not None}
        body: dict[str, Any] = {"data": _form(said), "files": files} if files else {"json": said}
        headers = {"Idempotency-Key": idempotency_key or uuid4().hex}
        return self._read(
            send(self._http, "POST", "generations/", is_repeatable=True, headers=headers, **body)
        )

    def generation(self, generation_id: str) -> Generation:
        """Where a generation stands."""
        return self._read(self._get(f"generations/{generation_id}/"))

    def follow(self, asked: Generation | str, *, timeout_s: float = 600.0) -> Iterator[Generation]:
        """Each change until it has ended, or is held for a person. Raises TimedOut."""
        now = asked if isinstance(asked, Generation) else self.generation(asked)
        ends_at, pause_s = time.monotonic() + timeout_s, SHORTEST_S
        yield now
        while not (now.has_ended or now.is_held):
            if time.monotonic() > ends_at:
                sentence = f"It has not ended within {timeout_s:g} s."
                advice = f"Ask for generation {now.id} again later."
                raise TimedOut(sentence, "timed_out", advice, generation=now)
            time.sleep(pause_s)
            before, now = now, self.generation(now.id)
            is_news = (now.status, now.position) != (before.status, before.position)
            pause_s = SHORTEST_S if is_news else min(LONGEST_S, pause_s * 1.5)
            if is_news or now.is_held:
                yield now

    def wait(self, asked: Generation | str, *, timeout_s: float = 600.0) -> Generation:
        """The generation once it has ended or is held; raises nothing for a refusal."""
        *_, last = self.follow(asked, timeout_s=timeout_s)
        return last

    def stream(self, prompt: str, *, timeout_s: float = 600.0, **more: Any) -> Iterator[Generation]:
        """Submit, then each change as it comes."""
        yield from self.follow(self.submit(prompt, **more), timeout_s=timeout_s)

    def generate(self, prompt: str, *, timeout_s: float = 600.0, **more: Any) -> Generation:
        """Submit and wait. Raises Refused, Held, Failed or TimedOut where there is no image."""
        made = self.wait(self.submit(prompt, **more), timeout_s=timeout_s)
        if problem := made.problem():
            raise problem
        return made

    def batch(
        self, prompts: Iterable[str], *, at_once: int = 4, timeout_s: float = 600.0, **more: Any
    ) -> Iterator[Generation]:
        """One generation a prompt, in their order, `at_once` under way; raises nothing for a
        refusal, whose generation says it in `problem()`."""
        under_way: deque[Generation] = deque()
        for prompt in prompts:
            if len(under_way) >= at_once:
                yield self.wait(under_way.popleft(), timeout_s=timeout_s)
            under_way.append(self.submit(prompt, **more))
        while under_way:
            yield self.wait(under_way.popleft(), timeout_s=timeout_s)

    def cancel(self, generation_id: str) -> Generation:
        """At once while it waits, before its next step while it runs."""
        path = f"generations/{generation_id}/cancel/"
        return self._read(send(self._http, "POST", path, is_repeatable=False))

    def statement(self, of: Refused | Refusal | str) -> Answer:
        """The statement of reasons of a refusal, or of that id."""
        return Answer(self._get(f"statements/{_statement_id(of)}/").json())

    def appeal(self, against: Refused | Refusal | str, grounds: str) -> Answer:
        """Contest a decision: by the error, the refusal, or its statement's id."""
        body = {"statement": _statement_id(against), "grounds": grounds}
        return Answer(send(self._http, "POST", "appeals/", is_repeatable=False, json=body).json())

    def appeals(self, appeal_id: str) -> Answer:
        """How an appeal stands."""
        return Answer(self._get(f"appeals/{appeal_id}/").json())

    def verify(self, file: File) -> Report:
        """What can be proved about a picture. Nothing sent is kept; it needs no key."""
        files = {"file": ("picture", _bytes(file))}
        return Report.read(
            send(self._http, "POST", "verify/", is_repeatable=True, files=files).json()
        )

    def _get(self, path: str, **said: Any) -> httpx.Response:
        return send(self._http, "GET", path, is_repeatable=True, **said)

    def _read(self, answer: httpx.Response) -> Generation:
        return generation_of(answer.json(), self._file)

    def _file(self, picture: Picture, as_: str) -> bytes:
        if picture.file_url is None:
            sentence = f"The image is {picture.status} and has no file."
            raise NotFound(sentence, "image_not_released")
        data: bytes = self._get(f"images/{picture.id}/file/", params={"as": as_}).content
        is_original = as_ == "png" and not picture.raw.get("is_blurred")
        if is_original and hashlib.sha256(data).hexdigest() != picture.sha256:
            raise Damaged("The file is not the one that the house has recorded.", "damaged")
        return data


def _bytes(file: File) -> bytes:
    return file if isinstance(file, bytes) else Path(file).read_bytes()


def _form(said: Mapping[str, Any]) -> dict[str, Any]:
    """Texts; what is nested is JSON there."""
    return {
        name: json.dumps(value) if isinstance(value, list | dict) else value
        for name, value in said.items()
        if value is not None
    }


def _statement_id(of: Refused | Refusal | str) -> str:
    if isinstance(of, Refused) and of.generation:
        of = of.generation.refusals[0]
    named = of.statement if isinstance(of, Refusal) else of
    if isinstance(named, str) and UUID.fullmatch(named):
        return named
    advice = "Give the error, the refusal, or the refusal's statement."
    raise Invalid(f"{of!r} names no statement of reasons.", "no_statement", advice)
