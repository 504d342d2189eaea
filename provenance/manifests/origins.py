"""Whether a manifest says that a program made its picture, and which program. Pure.

The IPTC's digital source types are in its actions, or in metadata that it signs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Extent = Literal["whole", "part", "source"]

_WHOLE = ("trainedAlgorithmicMedia", "algorithmicMedia", "trainedAlgorithmicData")
_PART = ("compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")
_METADATA = ("c2pa.metadata", "cawg.metadata", "stds.iptc", "stds.exif")


@dataclass(frozen=True, slots=True)
class StatedOrigin:
    """That `generator` made a picture: the whole of it, a part, or the picture it was made from."""

    generator: str | None
    extent: Extent


def generation_of(manifest: Mapping[str, Any]) -> StatedOrigin | None:
    """What a manifest says about its own picture; None where it does not say that it was
    generated.
    """
    said = [(kind, action) for action in actions_of(manifest) if (kind := _kind(action))]
    said += [(kind, {}) for kind in _kinds_in_metadata(manifest)]
    kinds: tuple[tuple[tuple[str, ...], Extent], ...] = ((_WHOLE, "whole"), (_PART, "part"))
    for wanted, extent in kinds:
        for kind, action in said:
            if kind in wanted:
                return StatedOrigin(_agent(action) or generator_of(manifest), extent)
    return None


def is_generated(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest says that a program made its picture, or a part of it."""
    return generation_of(manifest) is not None


def actions_of(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every action of a manifest, of all its actions assertions."""
    found = [
        assertion.get("data") or {}
        for assertion in manifest.get("assertions", [])
        if str(assertion.get("label")).startswith("c2pa.actions")
    ]
    return [action for data in found for action in data.get("actions") or []]


def generator_of(manifest: Mapping[str, Any]) -> str | None:
    """The program that wrote a manifest; manifests of before 2.0 have it as a user agent."""
    named = (manifest.get("claim_generator_info") or [{}])[0]
    return _text(named.get("name")) or _text(str(manifest.get("claim_generator") or ""))


def _kind(action: Mapping[str, Any]) -> str:
    """What kind of source an action names; letters that a program put on a picture are none."""
    kind = _name(action.get("digitalSourceType"))
    is_lettering = action.get("action") == "c2pa.addedText" and kind == "algorithmicMedia"
    return "" if is_lettering else kind


def _name(source_type: Any) -> str:
    """The last part of a source type's address; some tools write that part alone."""
    return str(source_type or "").rpartition("/")[2]


def _agent(action: Mapping[str, Any]) -> str | None:
    agent = action.get("softwareAgent")
    return _text(agent.get("name") if isinstance(agent, dict) else agent)


def _kinds_in_metadata(manifest: Mapping[str, Any]) -> Iterator[str]:
    for assertion in manifest.get("assertions", []):
        data = assertion.get("data")
        if str(assertion.get("label")).startswith(_METADATA) and isinstance(data, dict):
            told = (value for name, value in data.items() if name.endswith("DigitalSourceType"))
            yield from map(_name, told)


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
