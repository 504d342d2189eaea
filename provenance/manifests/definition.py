"""What a manifest says about its asset, as c2pa's builder takes it (C2PA 2.x). Pure.

Ids and names of systems only: no prompt, no person.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from provenance.manifests import embedded_xmp
from provenance.manifests.manifest_reading import ASSET_LABEL
from provenance.marks import iscc
from provenance.pictures.decoder import Mime

SOFT_BINDING_ALGORITHM = "app.proofsheet.tile.1"
PARENT = "parent"
SPEC_VERSION = "2.4.0"
CREATED_ASSERTIONS = (
    "c2pa.actions",
    "c2pa.soft-binding",
    "c2pa.ingredient",
    "c2pa.thumbnail.claim",
    "c2pa.thumbnail.ingredient",
    "c2pa.ai-disclosure",
    "cawg.training-mining",
    ASSET_LABEL,
)
"""What the signer vouches for itself, by labels without their version (C2PA 2.4, section 18.15)."""
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CREATED = _SOURCE_TYPES + "trainedAlgorithmicMedia"
DRAWN = _SOURCE_TYPES + "dataDrivenMedia"
COMPOSED = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
LETTERED = _SOURCE_TYPES + "algorithmicMedia"
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

    `converted_at` marks a copy of its parent in another format, or with other metadata where
    `has_same_format`, with nothing else changed.
    `repainted` bounds the part of its parent that a mask let a model paint anew.
    `visible_label` is the text that was drawn on the picture, and where. A notice is words that a
    program drew: no generated picture, so it has neither an id nor marks. `conversion` says what
    was converted when a picture of an archive was taken in.
    """

    asset_id: str
    system_name: str
    system_version: str
    model: str
    created_at: datetime
    watermark_id: str
    provider: str = ""
    is_altered: bool = False
    image_code: str = ""
    is_observed: bool = True
    converted_at: datetime | None = None
    visible_label: tuple[str, str] | None = None
    is_notice: bool = False
    repainted: Box | None = None
    has_same_format: bool = False
    aigc_producer: str = ""
    conversion: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """The picture that another was made from, with whatever marks it came with."""

    data: bytes
    mime: Mime
    title: str = "The picture that it was made from"
    notes: tuple[str, ...] = ()
    """What its decoder had to convert."""

    def conversion(self, mime: Mime) -> str:
        """What was done to it to make a file of that format of its pixels; empty for nothing."""
        formats = (f"From {self.mime} to {mime}.",) if mime != self.mime else ()
        return " ".join((*formats, *self.notes)).replace(" for the check", "")


def definition_of(
    claim: ManifestClaim, *, mime: Mime = "image/png", has_parent: bool = False
) -> dict[str, Any]:
    """The manifest definition that the builder signs."""
    agent = {"name": claim.system_name, "version": claim.system_version}
    told: dict[str, Any] = {
        "claim_generator_info": [agent | {"specVersion": SPEC_VERSION}],
        "title": f"{claim.asset_id or 'notice'}.{SUFFIXES[mime]}",
    }
    if claim.is_notice:
        return told | {"assertions": [_all_actions([_notice(claim, agent)])]}
    bindings = [_binding(SOFT_BINDING_ALGORITHM, claim.watermark_id)]
    if claim.image_code:
        bindings.append(_binding(iscc.ALGORITHM, claim.image_code))
    training = {
        "entries": {
            f"cawg.{use}": {"use": "notAllowed"}
            for use in ("ai_inference", "ai_generative_training", "ai_training", "data_mining")
        }
    }
    return told | {
        "assertions": [
            _all_actions(_actions(claim, agent, has_parent=has_parent)),
            *(_assertion("c2pa.soft-binding", binding) for binding in bindings),
            *([_assertion("c2pa.ai-disclosure", _model(claim))] if claim.is_observed else []),
            _assertion("cawg.training-mining", training),
            _assertion(ASSET_LABEL, _asset(claim)),
        ],
    }


def xmp_of(claim: ManifestClaim) -> dict[str, str]:
    """The same for readers that know XMP alone: the source type, the program, the asset's id, and
    China's label where a producer is named.
    """
    said = {embedded_xmp.CREATOR_TOOL: f"{claim.system_name} {claim.system_version}"}
    if claim.asset_id:
        said[embedded_xmp.IDENTIFIER] = f"urn:uuid:{claim.asset_id}"
    if claim.is_observed:
        said[embedded_xmp.SOURCE_TYPE] = _source_type(claim)
    if claim.aigc_producer and not claim.is_notice:
        said[embedded_xmp.AIGC] = _aigc_label(claim)
    return said


def _aigc_label(claim: ManifestClaim) -> str:
    """Label 1: it is generated; 2: it may be. Nobody has passed it on yet."""
    told = {
        "Label": "1" if claim.is_observed else "2",
        "ContentProducer": claim.aigc_producer,
        "ProduceID": claim.asset_id,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return json.dumps(told, separators=(",", ":"))


def _source_type(claim: ManifestClaim) -> str:
    if claim.is_notice:
        return DRAWN
    return COMPOSED if claim.is_altered else CREATED


def _all_actions(actions: list[dict[str, Any]]) -> dict[str, Any]:
    return _assertion("c2pa.actions.v2", {"actions": actions, "allActionsIncluded": True})


def _notice(claim: ManifestClaim, agent: dict[str, str]) -> dict[str, Any]:
    return {
        "action": "c2pa.created",
        "digitalSourceType": DRAWN,
        "when": claim.created_at.isoformat(),
        "softwareAgent": agent,
        "description": "A notice in words, drawn by a program. No model generated it.",
    }


def _model(claim: ManifestClaim) -> dict[str, Any]:
    """What kind of model made the picture, and how far people guided it (C2PA 2.4, 18.28)."""
    name, _, digest = claim.model.partition("@")
    package = f"pkg:generic/{quote(name, safe='')}"
    return {
        "modelType": "c2pa.types.model.pytorch",
        "modelName": claim.model,
        "modelIdentifier": f"{package}@{digest}" if digest else package,
        "contentProfile": {"humanOversightLevel": "prompt_guided"},
    }


def _asset(claim: ManifestClaim) -> dict[str, Any]:
    told: dict[str, Any] = {"id": claim.asset_id, "created_at": claim.created_at.isoformat()}
    if claim.provider:
        told["provider"] = claim.provider
    if claim.visible_label is not None:
        text, position = claim.visible_label
        told["visible_label"] = {"text": text, "position": position}
    return told


def _actions(
    claim: ManifestClaim, agent: dict[str, str], *, has_parent: bool
) -> list[dict[str, Any]]:
    """Created from nothing; or opened, when there is a parent, and composed with what the model
    made, or only converted. An archived picture claims no source type. Whatever is no copy then
    got its visible label and its watermark, in this order.
    """
    when = {"when": claim.created_at.isoformat(), "softwareAgent": agent}
    model = {"app.proofsheet.model": claim.model}
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}}
    if claim.converted_at is not None:
        now = when | {"when": claim.converted_at.isoformat()}
        if claim.has_same_format:
            return [opened | now, {"action": "c2pa.edited.metadata"} | now]
        converted = {"action": "c2pa.converted", "parameters": model}
        told = {"digitalSourceType": _source_type(claim)} if claim.is_observed else {}
        return [opened | now, converted | told | now]
    marks = [each | when for each in (*_lettered(claim), {"action": "c2pa.watermarked.bound"})]
    if not claim.is_observed:
        late = {"app.proofsheet.archive": "marked late; its making was not observed"}
        edited = {"action": "c2pa.edited.metadata", "parameters": late}
        converted = {"action": "c2pa.converted", "description": claim.conversion}
        done = [edited, converted] if claim.conversion else [edited]
        return [opened | when, *(each | when for each in done), *marks]
    if has_parent:
        edited = {"action": "c2pa.edited", "digitalSourceType": COMPOSED, "parameters": model}
        return [opened | when, edited | _painted_anew(claim.repainted) | when, *marks]
    created = {"action": "c2pa.created", "digitalSourceType": CREATED, "parameters": model}
    return [created | when, *marks]


def _lettered(claim: ManifestClaim) -> list[dict[str, Any]]:
    """The visible label, which a program drew and no model."""
    if claim.visible_label is None:
        return []
    said = f"A visible label: {claim.visible_label[0]}"
    return [{"action": "c2pa.addedText", "digitalSourceType": LETTERED, "description": said}]


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
