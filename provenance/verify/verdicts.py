"""The five verdicts on a file, each with one plain sentence and what it proves. Pure.

They are never added up to one: a mark that is absent says nothing, and one that is bad does not
make the others so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from provenance.manifests.manifest_reading import Ingredient
from provenance.marks.changed_parts import ChangedPart

TITLES = ("Content Credentials", "Signer", "Public log", "Watermark", "Fingerprint")
TURNED_DEGREES = 1.0
"""By so much at least a picture is told as turned; less is how it lay on a screen."""


class MarkVerdict(StrEnum):
    """What one mark is worth; what is absent or could not be checked proves nothing either way."""

    FOUND_GOOD = "found_good"
    FOUND_BAD = "found_bad"
    ABSENT = "absent"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, slots=True)
class LineageNode:
    """A picture that went into another, and what went into it."""

    ingredient: Ingredient
    made_from: list[LineageNode] = field(default_factory=list)


def lineage_of(ingredients: Sequence[Ingredient]) -> list[LineageNode]:
    """The tree that a depth-first list of ingredients stands for."""
    roots: list[LineageNode] = []
    way: list[LineageNode] = []
    for ingredient in ingredients:
        node = LineageNode(ingredient)
        del way[ingredient.depth - 1 :]
        (way[-1].made_from if way else roots).append(node)
        way.append(node)
    return roots


@dataclass(frozen=True, slots=True)
class ManifestCheck:
    """Whether the Content Credentials are about these bytes; `issues` are c2pa's codes."""

    verdict: MarkVerdict
    sentence: str
    proves: str
    state: str
    issues: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    visible_label: str | None = None
    unchecked: tuple[str, ...] = ()

    @property
    def lineage(self) -> list[LineageNode]:
        """What went into the picture, as a tree."""
        return lineage_of(self.ingredients)


@dataclass(frozen=True, slots=True)
class SignerCheck:
    """`vouched_by` says who knows a good signer: only what this system vouches for can be ours."""

    verdict: MarkVerdict
    sentence: str
    proves: str
    name: str | None = None
    vouched_by: Literal["this_system", "trust_list"] | None = None


@dataclass(frozen=True, slots=True)
class LogCheck:
    """Whether the public log holds an entry about the picture; `tree_size` is that of its proof."""

    verdict: MarkVerdict
    sentence: str
    proves: str
    index: int | None = None
    tree_size: int | None = None


@dataclass(frozen=True, slots=True)
class WatermarkCheck:
    """`geometry` says how the picture was turned and scaled since it was marked."""

    verdict: MarkVerdict
    sentence: str
    proves: str
    id: str | None = None
    confidence: float = 0.0
    geometry: dict[str, float | bool] | None = None


@dataclass(frozen=True, slots=True)
class FingerprintCheck:
    """`kept` is the share of the record's detail that the picture still shows, 0 to 1; `changed`
    the parts of the picture that differ from the record's, `beside` those that lie beside it.
    """

    verdict: MarkVerdict
    sentence: str
    proves: str
    distance: int | None = None
    kept: float | None = None
    changed: tuple[ChangedPart, ...] = ()
    beside: tuple[ChangedPart, ...] = ()

    @property
    def foreign(self) -> tuple[ChangedPart, ...]:
        """Every part of the picture that nobody here made."""
        return self.beside + self.changed


@dataclass(frozen=True, slots=True)
class GenerationStatement:
    """That credentials of somebody else say that a program made the picture: the whole of it, a
    part, or the picture that it was made from (its source).
    """

    sentence: str
    generator: str | None
    extent: Literal["whole", "part", "source"]
    signer: str | None
    is_signer_known: bool


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the law wants said of a generated picture; never a person, never a prompt."""

    provider: str
    system: str
    version: str
    created_at: str
    id: str
    created_or_altered: str
    is_observed: bool = True


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Everything that is told about one file; `is_ours` is true only where marks prove it.

    `disagreements` are sentences on marks that lead elsewhere than the one that is believed;
    `metadata` is what the file's XMP says, by property; `preview` is a small JPEG of the picture
    where changed parts are to be shown on it, and is never part of the report as data.
    """

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
    stated: GenerationStatement | None = None
    disagreements: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    preview: bytes = b""

    @property
    def is_ours(self) -> bool:
        """By the signature over these very bytes, or by a watermark whose record shows the same
        picture and stands in the log. A fingerprint alone is only a likeness.
        """
        good = MarkVerdict.FOUND_GOOD
        is_signed = self.manifest.verdict == good and self.signer.vouched_by == "this_system"
        is_marked = self.watermark.verdict == self.fingerprint.verdict == self.log.verdict == good
        return self.disclosure is not None and (is_signed or is_marked)

    @property
    def is_notice(self) -> bool:
        """Signed here over these very bytes, and no picture that a model made."""
        is_sound = self.manifest.verdict == self.signer.verdict == MarkVerdict.FOUND_GOOD
        is_here = is_sound and self.signer.vouched_by == "this_system"
        return is_here and self.disclosure is None and self.stated is None

    @property
    def is_edited(self) -> bool:
        """Ours, with a part of it changed since, or with something beside it."""
        return self.is_ours and bool(self.fingerprint.foreign)

    @property
    def turned(self) -> str:
        """How a picture that is ours was mirrored, turned or made a negative since, in words."""
        geometry = self.watermark.geometry
        if not self.is_ours or self.watermark.verdict != MarkVerdict.FOUND_GOOD or not geometry:
            return ""
        is_turned = abs(geometry["rotation_degrees"]) >= TURNED_DEGREES
        said = {
            "mirrored": geometry["is_mirrored"],
            "turned": is_turned,
            "made a negative": geometry["is_negative"],
        }
        return " and ".join(word for word, is_so in said.items() if is_so)

    @property
    def headline(self) -> str:
        if self.is_ours and self.fingerprint.beside:
            also = ", and one of its marks does not hold" if self._bad_marks() else ""
            beside = f"what lies beside it does not{also}"
            return f"A part of this picture comes from this system; {beside}."
        if self.is_edited:
            also = f"it was {self.turned} and " if self.turned else ""
            return f"This picture comes from this system, but {also}a part of it was changed since."
        if self.is_ours and self._bad_marks():
            return "This picture comes from this system, but one of its marks does not hold."
        if self.turned:
            return f"This picture comes from this system, but it was {self.turned} since."
        if self.is_ours:
            return "This picture comes from this system."
        if self.disclosure is not None:
            return "Inconclusive: it looks like a picture of this system, but nothing proves it."
        if self._bad_marks():
            return "Not confirmed: it carries a mark that does not hold."
        if self.is_notice:
            return "This system signed it as a notice: no model generated it."
        if self.stated is not None:
            return self.stated.sentence
        if self._is_marked:
            return "Inconclusive: a watermark of this system was found, which proves nothing here."
        return "Inconclusive: no mark of this system was found."

    @property
    def explanation(self) -> str:
        if self._bad_marks():
            named = " and ".join(f"“{title}”" for title in self._bad_marks())
            shown = "What was changed or added is drawn below. " if self.is_edited else ""
            return f"{shown}See what is said under {named} before you rely on the picture."
        if self.is_edited:
            return "What was changed or added is drawn below; nobody vouches for that part."
        if self.is_ours:
            return "Each mark is read for itself: they prove different things."
        if self.disclosure is not None:
            return "Read each mark for itself before you rely on the picture."
        if self.is_notice:
            return "Nobody has changed the file since. The address on it says what it is about."
        if self._is_marked:
            return "What its watermark says, and what it does not, stands under “Watermark”."
        if self.stated is not None and self.stated.is_signer_known:
            return "No mark of this system was found: another one made the picture, or says so."
        if self.stated is not None:
            return (
                "No mark of this system was found. Nobody has changed the file since it was "
                "signed, but anybody can sign in any name."
            )
        return (
            "That does not make it a photograph, nor the work of a person: marks can be removed, "
            "and other systems leave other marks."
        )

    @property
    def _is_marked(self) -> bool:
        """Whether there is a watermark that could not be followed to the end; where no pixels were
        looked at (`width` is 0) there is none."""
        return self.width > 0 and self.watermark.verdict == MarkVerdict.COULD_NOT_CHECK

    def _bad_marks(self) -> list[str]:
        """Titles of the marks that were found and do not hold."""
        verdicts = (
            self.manifest.verdict,
            self.signer.verdict,
            self.log.verdict,
            self.watermark.verdict,
            self.fingerprint.verdict,
        )
        named = zip(TITLES, verdicts, strict=True)
        return [title for title, verdict in named if verdict == MarkVerdict.FOUND_BAD]

    def as_json(self) -> dict[str, Any]:
        """Plain data, as the API, the command and the download give it."""
        told: dict[str, Any] = asdict(self)
        file = {name: told.pop(name) for name in ("sha256", "mime", "width", "height", "notes")}
        del told["preview"]
        observed = told["disclosure"].pop("is_observed") if told["disclosure"] else None
        said = {
            "is_ours": self.is_ours,
            "is_edited": self.is_edited,
            "headline": self.headline,
            "is_making_observed": observed,
        }
        return told | said | {"file": file}
