"""Answers of the tools: a sentence for the model, previews and links for people, values for code.

A refusal is an error of the tool, not of the protocol, so that the model reads it and passes it on:
its text holds the reason and the addresses of statement and appeal.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent
from pydantic import ValidationError
from rest_framework import exceptions

from config.core.errors import ProofsheetError
from provenance.pictures.decoder import Mime

Raw = Mapping[str, Any]
PREVIEW_MIME: Mime = "image/jpeg"
_OF_A_GENERATION = (
    "id", "status", "is_held", "position", "waits_for", "code", "refusal", "failure",
)  # fmt: skip
_OF_AN_IMAGE = ("id", "status", "url", "file_url", "width", "height", "seed", "sha256", "refusal")


def of_generation(raw: Raw, previews: Mapping[str, bytes]) -> CallToolResult:
    """`raw` is a request as our own API writes it; `previews` are marked copies by image id."""
    refusals = [each for each in (raw["refusal"], *_refusals(raw["images"])) if each]
    released = [image for image in raw["images"] if image["file_url"]]
    content: list[ContentBlock] = [TextContent(text=" ".join(_sentences(raw, refusals)))]
    for image in released:
        if data := previews.get(image["id"]):
            content.append(
                ImageContent(data=base64.b64encode(data).decode(), mime_type=PREVIEW_MIME)
            )
        content.append(_link(image))
    said = {name: raw[name] for name in _OF_A_GENERATION}
    said["images"] = [{name: image[name] for name in _OF_AN_IMAGE} for image in raw["images"]]
    said["waiting_url"] = _waiting(raw) or None
    if refusals:
        said |= {name: refusals[0][name] for name in ("statement_url", "appeal_url")}
    has_nothing = not released and raw["status"] in {"finished", "refused", "failed", "cancelled"}
    is_waiting = raw["is_held"] or any(image["status"] == "held" for image in raw["images"])
    return CallToolResult(
        content=content, structured_content=said, is_error=has_nothing and not is_waiting
    )


def of_value(text: str, said: Raw) -> CallToolResult:
    """Something that has no picture."""
    return CallToolResult(content=[TextContent(text=text)], structured_content=dict(said))


def of_error(error: ProofsheetError) -> CallToolResult:
    """Any condition that a person can be told about, with the code of our own API."""
    said = {"code": error.code, "message": error.message, "advice": error.advice}
    return CallToolResult(
        content=[TextContent(text=str(error))], structured_content=said, is_error=True
    )


def of_wrong_arguments(error: ValidationError | exceptions.ValidationError) -> CallToolResult:
    """Each argument by its name, so that a model can mend its call."""
    wrong = _wrong(error)
    text = "; ".join(f"{name}: {why}" for name, why in wrong.items())
    said = {"code": "invalid", "errors": wrong}
    return CallToolResult(
        content=[TextContent(text=f"The arguments are not valid. {text}.")],
        structured_content=said,
        is_error=True,
    )


def _wrong(error: ValidationError | exceptions.ValidationError) -> dict[str, str]:
    """By pydantic, or by what reads the same members for the API."""
    if isinstance(error, ValidationError):
        return {".".join(str(part) for part in each["loc"]): each["msg"] for each in error.errors()}
    detail: Any = error.detail
    named = detail if isinstance(detail, dict) else {"body": detail}
    return dict(_flat(named))


def _flat(said: Mapping[Any, Any], under: str = "") -> Iterator[tuple[str, str]]:
    """What is said of each member, and of members of members by their path."""
    for name, why in said.items():
        path = f"{under}{name}"
        if isinstance(why, list) and any(isinstance(each, Mapping) for each in why):
            why = {place: each for place, each in enumerate(why) if each}
        if isinstance(why, Mapping):
            yield from _flat(why, f"{path}.")
        else:
            yield path, why if isinstance(why, str) else " ".join(str(each) for each in why)


def _refusals(images: Iterable[Raw]) -> list[Any]:
    return [image["refusal"] for image in images if image["status"] == "withheld"]


def _waiting(raw: Raw) -> str:
    """The address of what is held, which opens without an account."""
    found = (each["waiting_url"] for each in (raw, *raw["images"]))
    return next((each for each in found if each), "")


def _sentences(raw: Raw, refusals: list[Any]) -> Iterator[str]:
    states = [image["status"] for image in raw["images"]]
    if made := states.count("released"):
        yield f"{made} picture{'s' if made > 1 else ''} made, screened and marked as generated."
    if raw["is_held"] or "held" in states:
        yield (
            "A person decides about this first: it is held, not refused. Do not send it again; ask "
            f"get_generation with the id {raw['id']} later. For the person who asked: "
            f"{_waiting(raw)}"
        )
    for refusal in refusals:
        yield (
            f"Refused: {refusal['reason']}. Tell the person who asked, with both addresses. "
            f"Reasons: {refusal['statement_url']} Appeal: {refusal['appeal_url']}"
        )
    for failure in (raw["failure"], *raw["failed_images"]):
        if failure:
            yield f"{failure['message']} {failure['advice']}"
    if raw["status"] in {"submitted", "queued", "running"} and not raw["is_held"]:
        yield f"It is still on its way ({raw['status']}). Ask get_generation with {raw['id']}."
    if raw["status"] == "cancelled":
        yield "It was cancelled."


def _link(image: Raw) -> ResourceLink:
    return ResourceLink(
        uri=image["file_url"],
        name=f"proofsheet-{image['id']}.png",
        description="The original with its credentials; send the key as bearer.",
        mime_type="image/png",
        size=image["size_bytes"],
    )
