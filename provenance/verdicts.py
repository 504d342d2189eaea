"""The five verdicts on a file, each with one plain sentence and what it proves. Pure.

They are never added up to one: a mark that is absent says nothing, and one that is bad does not
make the others so.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from provenance.manifest_reading import Ingredient


class Verdict(StrEnum):
    FOUND_GOOD = "found_good"
    FOUND_BAD = "found_bad"
    ABSENT = "absent"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, slots=True)
class ManifestCheck:
    verdict: Verdict
    sentence: str
    proves: str
    state: str
    issues: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()


@dataclass(frozen=True, slots=True)
class SignerCheck:
    verdict: Verdict
    sentence: str
    proves: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class LogCheck:
    verdict: Verdict
    sentence: str
    proves: str
    index: int | None = None
    tree_size: int | None = None


@dataclass(frozen=True, slots=True)
class WatermarkCheck:
    """`geometry` says how the picture was turned and scaled since it was marked."""

    verdict: Verdict
    sentence: str
    proves: str
    id: str | None = None
    confidence: float = 0.0
    geometry: dict[str, float | bool] | None = None


@dataclass(frozen=True, slots=True)
class FingerprintCheck:
    verdict: Verdict
    sentence: str
    proves: str
    distance: int | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the law wants said of a generated picture; never a person, never a prompt."""

    provider: str
    system: str
    version: str
    created_at: str
    id: str
    created_or_altered: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told about one file; `is_ours` is true only where marks prove it."""

    sha256: str
    mime: str
    width: int
    height: int
    notes: tuple[str, ...]
    checked_at: str
    detector: str
    manifest: ManifestCheck
    signer: SignerCheck
    log: LogCheck
    watermark: WatermarkCheck
    fingerprint: FingerprintCheck
    disclosure: Disclosure | None

    @property
    def is_ours(self) -> bool:
        """By the signature over these very bytes, or by a watermark whose record shows the same
        picture and stands in the log. A fingerprint alone is only a likeness.
        """
        good = Verdict.FOUND_GOOD
        is_signed = self.manifest.verdict == self.signer.verdict == good
        is_marked = self.watermark.verdict == self.fingerprint.verdict == self.log.verdict == good
        return self.disclosure is not None and (is_signed or is_marked)

    @property
    def headline(self) -> str:
        if self.is_ours:
            return "This picture comes from this system."
        if self.disclosure is not None:
            return "Inconclusive: it looks like a picture of this system, but nothing proves it."
        if Verdict.FOUND_BAD in self._verdicts():
            return "Not confirmed: it carries a mark that does not hold."
        return "Inconclusive: no mark of this system was found."

    @property
    def explanation(self) -> str:
        if self.is_ours:
            return "Read each mark for itself: they prove different things."
        if self.disclosure is not None or Verdict.FOUND_BAD in self._verdicts():
            return "Read each mark for itself before you rely on the picture."
        return (
            "That does not make it a photograph, nor the work of a person: marks can be removed, "
            "and other systems leave other marks."
        )

    def _verdicts(self) -> tuple[Verdict, ...]:
        checks = (self.manifest, self.signer, self.log, self.watermark, self.fingerprint)
        return tuple(check.verdict for check in checks)

    def as_json(self) -> dict[str, Any]:
        """Plain data, as the API, the command and the download give it."""
        told: dict[str, Any] = asdict(self)
        file = {name: told.pop(name) for name in ("sha256", "mime", "width", "height", "notes")}
        return told | {"file": file, "is_ours": self.is_ours, "headline": self.headline}
