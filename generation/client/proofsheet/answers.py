"""What the house answers: values with the names of its API. `raw` is all of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from os import PathLike
from pathlib import Path
from typing import Any, Self

from proofsheet.errors import Failed, Held, HouseError, Refused

Raw = Mapping[str, Any]
Fetch = Callable[["Picture", str], bytes]


class State(StrEnum):
    """Where a generation stands."""

    SUBMITTED = "submitted"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = frozenset({State.FINISHED, State.REFUSED, State.CANCELLED, State.FAILED})


@dataclass(frozen=True, slots=True)
class Answer:
    """Anything that has no class of its own here: `answer["name"]`."""

    raw: Raw = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]

    @classmethod
    def read(cls, raw: Raw, **own: Any) -> Self:
        """From the API's JSON: what is not `own` has its name there."""
        names = {each.name for each in fields(cls)} - {"raw", *own}
        return cls(raw=raw, **{name: raw[name] for name in names}, **own)


@dataclass(frozen=True, slots=True)
class Refusal(Answer):
    """Why something was refused. Both addresses open for whoever holds them, such as your own
    users, without an account; `statement` is its id for the calls of a key."""

    code: str
    reason: str
    statement: str
    is_automated: bool
    statement_url: str
    appeal_url: str


@dataclass(frozen=True, slots=True)
class Picture(Answer):
    """One image of a generation. It has a file once it is `released`."""

    id: str
    status: str
    width: int
    height: int
    seed: int
    sha256: str
    file_url: str | None
    refusal: Refusal | None
    _fetch: Fetch = field(repr=False, compare=False)

    def download(self, as_: str = "png") -> bytes:
        """The file as the house signed it, with credentials and watermark; PNG, JPEG or WebP."""
        return self._fetch(self, as_)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the file, in the format that the path's ending names, and change nothing in it."""
        place = Path(path)
        ending = place.suffix.lower().lstrip(".") or "png"
        place.write_bytes(self.download({"jpg": "jpeg"}.get(ending, ending)))
        return place


@dataclass(frozen=True, slots=True)
class Generation(Answer):
    """A request with its images; `position` is the place in line from 1 while it waits."""

    id: str
    status: State
    is_held: bool
    position: int | None
    images: tuple[Picture, ...]
    refusal: Refusal | None

    @property
    def has_ended(self) -> bool:
        """Nothing more comes, but for what a person decides."""
        return self.status in ENDED

    @property
    def released(self) -> tuple[Picture, ...]:
        """The images that have a file."""
        return tuple(image for image in self.images if image.file_url)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Its own, and those of its images."""
        found = (self.refusal, *(image.refusal for image in self.images))
        return tuple(each for each in found if each)

    def problem(self) -> HouseError | None:
        """Why there is no image, as the error that `Client.generate` raises; None where there is
        one, or may still be."""
        if self.released or not (self.has_ended or self.is_held):
            return None
        if self.is_held or any(image.status == "held" for image in self.images):
            addresses = (each["waiting_url"] for each in (self, *self.images))
            waiting = next(filter(None, addresses), "")
            advice = f"Ask for generation {self.id} again later. What becomes of it: {waiting}"
            return Held("A person decides about this first.", "held", advice, generation=self)
        if self.refusals:
            why = self.refusals[0]
            return Refused(
                f"It was refused: {why.reason}.", why.code, f"Reasons: {why.statement_url}",
                statement_url=why.statement_url, appeal_url=why.appeal_url, generation=self,
            )  # fmt: skip
        failures = (self.raw.get("failure"), *(self.raw.get("failed_images") or ()))
        failure: Raw = next(filter(None, failures), {})
        told = failure.get("message", f"It ended as {self.status}.")
        code = failure.get("code", self.status)
        return Failed(told, code, failure.get("advice", ""), generation=self)


def generation_of(raw: Raw, fetch: Fetch) -> Generation:
    """With its images, each of which gets its file by `fetch`."""
    images = tuple(
        Picture.read(each, refusal=_refusal(each), _fetch=fetch) for each in raw["images"]
    )
    return Generation.read(raw, status=State(raw["status"]), images=images, refusal=_refusal(raw))


def _refusal(raw: Raw) -> Refusal | None:
    return Refusal.read(raw["refusal"]) if raw["refusal"] else None


@dataclass(frozen=True, slots=True)
class Report(Answer):
    """What can be proved about a file. `verdicts` names the five marks' own."""

    is_ours: bool
    is_edited: bool
    headline: str

    @property
    def verdicts(self) -> Mapping[str, str]:
        """Of manifest, signer, log, watermark and fingerprint."""
        marks = ("manifest", "signer", "log", "watermark", "fingerprint")
        return {mark: self.raw[mark]["verdict"] for mark in marks}
