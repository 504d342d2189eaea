"""What a manifest says about its asset, as c2pa's builder takes it (C2PA 2.x). Pure.

Ids and names of systems only: no prompt, no person.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provenance.manifests.manifest_reading import ASSET_LABEL
from provenance.marks import iscc
from provenance.pictures.decoder import Mime

SOFT_BINDING_ALGORITHM = "app.proofsheet.tile.1"
PARENT = "parent"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CREATED = _SOURCE_TYPES + "trainedAlgorithmicMedia"
DRAWN = _SOURCE_TYPES + "dataDrivenMedia"
COMPOSED = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
SUFFIXES: dict[Mime, str] = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in percent of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ManifestClaim:
    """What a manifest says about its asset: ids and names of systems only.

    `converted_at` marks a copy in another format of its parent, with nothing else changed.
    `repainted` bounds the part of its parent that a mask let a model paint anew.
    `visible_label` is the text that was drawn on the picture, and where. A notice is words that a
    program drew: no generated picture, so it has neither an id nor marks.
    """

    asset_id: str
    system_name: str
    system_version: str
    model: str
    created_at: datetime
    watermark_id: str
    is_altered: bool = False
    image_code: str = ""
    is_observed: bool = True
    converted_at: datetime | None = None
    visible_label: tuple[str, str] | None = None
    is_notice: bool = False
    repainted: Box | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """The picture that another was made from, with whatever marks it came with."""

    data: bytes
    mime: Mime
    title: str = "The picture that it was made from"


def definition_of(
    claim: ManifestClaim, *, mime: Mime = "image/png", has_parent: bool = False
) -> dict[str, Any]:
    """The manifest definition that the builder signs."""
    agent = {"name": claim.system_name, "version": claim.system_version}
    if claim.is_notice:
        return _definition_of_notice(claim, agent, mime=mime)
    bindings = [_binding(SOFT_BINDING_ALGORITHM, claim.watermark_id)]
    if claim.image_code:
        bindings.append(_binding(iscc.ALGORITHM, claim.image_code))
    training = {
        "entries": {
            f"cawg.{use}": {"use": "notAllowed"}
            for use in ("ai_inference", "ai_generative_training", "ai_training", "data_mining")
        }
    }
    return {
        "claim_generator_info": [agent],
        "title": f"{claim.asset_id}.{SUFFIXES[mime]}",
        "assertions": [
            _assertion(
                "c2pa.actions.v2", {"actions": _actions(claim, agent, has_parent=has_parent)}
            ),
            *(_assertion("c2pa.soft-binding", binding) for binding in bindings),
            _assertion("cawg.training-mining", training),
            _assertion(ASSET_LABEL, _asset(claim)),
        ],
    }


def _definition_of_notice(
    claim: ManifestClaim, agent: dict[str, str], *, mime: Mime
) -> dict[str, Any]:
    drawn = {
        "action": "c2pa.created",
        "digitalSourceType": DRAWN,
        "when": claim.created_at.isoformat(),
        "softwareAgent": agent,
        "description": "A notice in words, drawn by a program. No model generated it.",
    }
    return {
        "claim_generator_info": [agent],
        "title": f"notice.{SUFFIXES[mime]}",
        "assertions": [_assertion("c2pa.actions.v2", {"actions": [drawn]})],
    }


def _asset(claim: ManifestClaim) -> dict[str, Any]:
    told: dict[str, Any] = {"id": claim.asset_id, "created_at": claim.created_at.isoformat()}
    if claim.visible_label is not None:
        text, position = claim.visible_label
        told["visible_label"] = {"text": text, "position": position}
    return told


def _actions(
    claim: ManifestClaim, agent: dict[str, str], *, has_parent: bool
) -> list[dict[str, Any]]:
    """Created from nothing; or opened, when there is a parent, and composed with what the model
    made, or only converted. An archived picture claims no source type.
    """
    when = {"when": claim.created_at.isoformat(), "softwareAgent": agent}
    model = {"app.proofsheet.model": claim.model}
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}}
    if claim.converted_at is not None:
        now = when | {"when": claim.converted_at.isoformat()}
        source = COMPOSED if claim.is_altered else CREATED
        converted = {"action": "c2pa.converted", "parameters": model}
        told = {"digitalSourceType": source} if claim.is_observed else {}
        return [opened | now, converted | told | now]
    if not claim.is_observed:
        late = {"app.proofsheet.archive": "marked late; its making was not observed"}
        return [opened | when, {"action": "c2pa.edited", "parameters": late} | when]
    if has_parent:
        edited = {"action": "c2pa.edited", "digitalSourceType": COMPOSED, "parameters": model}
        return [opened | when, edited | _painted_anew(claim.repainted) | when]
    created = {"action": "c2pa.created", "digitalSourceType": CREATED, "parameters": model}
    return [created | when, *([{"action": "c2pa.edited"} | when] if claim.is_altered else [])]


def _painted_anew(box: Box | None) -> dict[str, Any]:
    """Which part an edit changed (C2PA 2.2, "Regions of interest"); the marks of ours that lie over
    all of it change nothing that is seen."""
    if box is None:
        return {}
    shape = {
        "type": "rectangle",
        "unit": "percent",
        "origin": {"x": box.left, "y": box.top},
        "width": box.width,
        "height": box.height,
    }
    region = [{"type": "spatial", "shape": shape}]
    said = "A model painted anew what lies under a mask; the rest is the picture that was opened."
    return {"description": said, "changes": [{"region": region, "description": "The mask."}]}


def _binding(algorithm: str, value: str) -> dict[str, Any]:
    return {"alg": algorithm, "blocks": [{"scope": {}, "value": value}]}


def _assertion(label: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"label": label, "data": data}
