"""What the house answers: values with the names of its API. `raw` is all of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was refused. Both addresses open for whoever holds them, such as your own
    users, without an account; `statement` is its id for the calls of a key."""

    code: str
    reason: str
    statement: str
    is_automated: bool
    statement_url: str
    appeal_url: str

    @classmethod
    def read(cls, raw: Raw | None) -> Self | None:
        """None where nothing was refused."""
        if not raw:
            return None
        return cls(*(raw[name] for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of a generation. It has a file once it is `released`."""

    id: str
    status: str
    width: int
    height: int
    seed: int
    sha256: str
    file_url: str | None
    refusal: Refusal | None
    raw: Raw = field(repr=False)
    _fetch: Fetch = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw, fetch: Fetch) -> Self:
        """From the API's JSON."""
        said: Any = {name: raw[name] for name in cls.__slots__[:7]}
        return cls(**said, refusal=Refusal.read(raw["refusal"]), raw=raw, _fetch=fetch)

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
class Generation:
    """A request with its images; `position` is the place in line from 1 while it waits."""

    id: str
    status: State
    is_held: bool
    position: int | None
    images: tuple[Picture, ...]
    refusal: Refusal | None
    raw: Raw = field(repr=False)

    @classmethod
    def read(cls, raw: Raw, fetch: Fetch) -> Self:
        """From the API's JSON."""
        images = tuple(Picture.read(image, fetch) for image in raw["images"])
        refusal = Refusal.read(raw["refusal"])
        return cls(
            raw["id"], State(raw["status"]), raw["is_held"], raw["position"], images, refusal, raw
        )

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
            found = (self.raw, *(image.raw for image in self.images))
            waiting = next((each["waiting_url"] for each in found if each["waiting_url"]), "")
            return Held(
                "A person decides about this first.",
                code="held",
                advice=f"Ask for generation {self.id} again later. What becomes of it: {waiting}",
                generation=self,
            )
        if self.refusals:
            refusal = self.refusals[0]
            return Refused(
                f"It was refused: {refusal.reason}.",
                code=refusal.code,
                advice=f"Reasons: {refusal.statement_url}",
                statement_url=refusal.statement_url,
                appeal_url=refusal.appeal_url,
                generation=self,
            )
        failures = (self.raw.get("failure"), *(self.raw.get("failed_images") or ()))
        why: Raw = next((each for each in failures if each), {})
        return Failed(
            why.get("message", f"It ended as {self.status}."),
            code=why.get("code", self.status),
            advice=why.get("advice", ""),
            generation=self,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What can be proved about a file. `verdicts` names the five marks' own."""

    is_ours: bool
    is_edited: bool
    headline: str
    verdicts: Mapping[str, str]
    raw: Raw = field(repr=False)

    @classmethod
    def read(cls, raw: Raw) -> Self:
        """From the API's JSON."""
        marks = ("manifest", "signer", "log", "watermark", "fingerprint")
        verdicts = {mark: raw[mark]["verdict"] for mark in marks}
        return cls(raw["is_ours"], raw["is_edited"], raw["headline"], verdicts, raw)
