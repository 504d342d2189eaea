"""What a reviewer is shown of a subject, frozen as it was when its case was opened.

One class a kind, whatever room wrote it. Cases and decisions keep it as JSON (`to_json`), which is
read here alone (`read`). A part is None where nothing was written of it, or where it was erased.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

_Part = TypeVar("_Part")

VERSION = 1
"""Of the keys and their meaning. Rows from before it was written have these keys and no version."""

Match = tuple[int, int, str]  # from and to in the prompt, and the rule that found it

_WORDS = {"prompt", "negative_prompt", "matched", "image", "source", "adapters", "seed"}
_VERDICT = {"categories", "code", "matched", "screening"}
_OF_A_LABEL = {"version", "policy_version", "screening"}


class EvidenceTooNew(ValueError):
    """A newer release wrote it, and this one could only guess what it means."""


@dataclass(frozen=True, slots=True)
class UsedModel:
    """The base model as it was then."""

    slug: str = ""
    name: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class UsedAdapter:
    """An adapter that the request asked for, as it was then."""

    slug: str = ""
    name: str = ""
    weight: float = 0.0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ScreenedFile:
    """A picture by its place in the private storage and its digest, never its bytes."""

    id: str = ""
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class StartedFrom:
    """The picture that a request starts from; `image` names it where it was made here. `mask` is
    the digest of what said which part of it is painted anew."""

    strength: float = 0.0
    sha256: str = ""
    image: str = ""
    mask: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is asked of every kind. `categories`: scores, None where no classifier looked.

    `is_reported`: a report opened the case; `is_found`: a person who labelled a sample did.
    """

    NAMED_WHEN_EMPTY: ClassVar[tuple[str, ...]] = ()

    policy_version: str = ""
    overlay: str | None = None
    screening: str | None = None
    categories: Mapping[str, float] | None = None
    code: str | None = None
    prompt: str | None = None
    matched: tuple[Match, ...] | None = None
    model: UsedModel | None = None
    image: ScreenedFile | None = None
    adapters: tuple[UsedAdapter, ...] | None = None
    created_at: datetime | None = None
    is_reported: bool = False
    is_found: bool = False
    is_uploaded: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a row keeps it."""
        said: dict[str, Any] = {"version": VERSION} | {name: {} for name in self.NAMED_WHEN_EMPTY}
        for part in fields(self):
            value = getattr(self, part.name)
            if value is not None and value is not False:
                said[part.name] = _plain(value)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureEvidence(Evidence):
    """Of a picture that was released, as somebody may report it; also what one to come asks for."""

    request: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvidence(PictureEvidence):
    """Of a prompt, of the upload that it starts from, or of an image that was made, as screened."""

    NAMED_WHEN_EMPTY: ClassVar[tuple[str, ...]] = ("source",)

    source: StartedFrom | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterEvidence(Evidence):
    """Of an adapter that is to become public: its words as prompt, its examples in one image.

    `adapter`: plain facts by their names.
    """

    NAMED_WHEN_EMPTY: ClassVar[tuple[str, ...]] = ("image", "model")

    adapter: Mapping[str, str | int | None] | None = None


def read(kind: str, said: Mapping[str, Any]) -> Evidence:
    """What a row about a subject of that kind keeps. Raises EvidenceTooNew.

    Keys that no release wrote are left out, and those that are missing were erased.
    """
    if said.get("version", VERSION) > VERSION:
        raise EvidenceTooNew(said["version"])
    parts = {name: _READ.get(name, _as_is)(part) for name, part in said.items()}
    if kind == "adapter":
        return _made(AdapterEvidence, parts)
    return _made(RequestEvidence if "source" in said else PictureEvidence, parts)


def as_told(said: Mapping[str, Any]) -> dict[str, Any]:
    """As the API tells a row's evidence: all of it, but for the house's own version."""
    return {name: part for name, part in said.items() if name != "version"}


def without_words(said: Mapping[str, Any]) -> dict[str, Any]:
    """A row's evidence once its owner's words are erased."""
    return {name: part for name, part in said.items() if name not in _WORDS}


def without_verdict(said: Mapping[str, Any]) -> dict[str, Any]:
    """A row's evidence as it is shown to whoever answers blind."""
    return {name: part for name, part in said.items() if name not in _VERDICT}


def of_a_label(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of a row's evidence once the label it was shown for is given."""
    return {name: part for name, part in said.items() if name in _OF_A_LABEL}


def _made(of: Callable[..., _Part], said: Mapping[str, Any]) -> _Part:
    names = {part.name for part in fields(of)} & said.keys()  # type: ignore[arg-type] # a dataclass
    return of(**{name: said[name] for name in names})


def _as_is(value: Any) -> Any:
    return value


def _adapters(said: Iterable[Mapping[str, Any]]) -> tuple[UsedAdapter, ...]:
    return tuple(_made(UsedAdapter, each) for each in said)


def _matched(said: Iterable[Iterable[Any]]) -> tuple[Match, ...]:
    return tuple((start, end, rule) for start, end, rule in said)


def _if_any(of: Callable[..., _Part]) -> Callable[[Mapping[str, Any]], _Part | None]:
    return lambda said: _made(of, said) if said else None


_READ: dict[str, Callable[[Any], Any]] = {
    "adapters": _adapters,
    "created_at": datetime.fromisoformat,
    "image": _if_any(ScreenedFile),
    "matched": _matched,
    "model": _if_any(UsedModel),
    "source": _if_any(StartedFrom),
}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value
