"""What the tools take, by name; from these the schemas come that a model reads.

None of them can loosen what the house refuses: there is no argument for it, and one that is made up
is refused by its name.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from config.core.errors import ProofsheetError
from generation.request_rules.parameters import PROMPT_MAX_CHARACTERS, SentMask

SIZE = r"^(auto|[1-9][0-9]{1,4}x[1-9][0-9]{1,4})$"
_DATA = re.compile(r"data:image/[a-z0-9.+-]+;base64,")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NoPictureSent(ProofsheetError):
    """What should be a picture is neither base64 nor the id of an image."""

    default_code = "picture_not_sent"
    default_message = "That is no picture: neither base64, a data: address, nor an image's id."
    default_advice = "Send the file's bytes in base64, or the id of an image of yours."
    default_status = 422


class ToolArguments(BaseModel):
    """The base of all: what is not named below is refused."""

    model_config = ConfigDict(extra="forbid")


class WornAdapter(ToolArguments):
    """One adapter (LoRA) of the catalogue."""

    slug: str
    weight: float = Field(1.0, description="-2 to 2")


Prompt = Annotated[
    str, Field(description=f"What the picture shows; at most {PROMPT_MAX_CHARACTERS} characters.")
]
Unwanted = Annotated[str, Field(description="What it should not show.")]
Model = Annotated[str | None, Field(description="A slug of list_models; else the usual one.")]
Seed = Annotated[int | None, Field(description="The same seed makes the same picture.")]


class GenerateImage(ToolArguments):
    """Arguments of `generate_image`."""

    prompt: Prompt
    negative_prompt: Unwanted = ""
    size: str = Field("auto", pattern=SIZE, description="Such as 512x512; see list_models.")
    n: int = Field(1, ge=1, le=4, description="How many pictures.")
    model: Model = None
    adapters: list[WornAdapter] = Field(default_factory=list, max_length=4)
    seed: Seed = None

    def parameters(self) -> dict[str, Any]:
        """As our own API takes it."""
        said = self.model_dump(exclude={"size", "n"})
        if self.size != "auto":
            said["width"], said["height"] = (int(part) for part in self.size.split("x"))
        return said | {"count": self.n}


class EditImage(ToolArguments):
    """Arguments of `edit_image`."""

    prompt: Prompt
    image: str = Field(description="The picture in base64 or as data:, or the id of one of yours.")
    strength: float | None = Field(
        None,
        ge=0.05,
        le=1,
        description="How far it may depart from the picture; 0.6 if left out, and with a mask 1.",
    )
    mask: str | None = Field(
        None,
        description="A picture of the same size, in base64 or as data:, without transparency: what "
        "is white in it is painted anew, what is black stays.",
    )
    negative_prompt: Unwanted = ""
    n: int = Field(1, ge=1, le=4, description="How many pictures.")
    model: Model = None
    seed: Seed = None

    def parameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """As our own API takes it, and the uploads. Raises NoPictureSent."""
        said = self.model_dump(exclude={"image", "mask", "n"}) | {"count": self.n}
        sent: dict[str, Any] = {"mask": self.mask and SentMask(picture_bytes(self.mask))}
        if _UUID.fullmatch(self.image):
            return said | {"source_image": self.image}, sent
        return said, sent | {"picture": picture_bytes(self.image)}


class GetGeneration(ToolArguments):
    """Arguments of `get_generation`."""

    id: UUID = Field(description="As generate_image or edit_image answered it.")


class ListModels(ToolArguments):
    """`list_models` takes none."""


class VerifyPicture(ToolArguments):
    """Arguments of `verify_picture`."""

    image: str = Field(description="The file's bytes in base64, or as a data: address.")


def picture_bytes(text: str) -> bytes:
    """The bytes that base64 or a `data:` address holds; no other address is fetched. Raises
    NoPictureSent."""
    found = _DATA.match(text)
    try:
        data = base64.b64decode(text[found.end() :] if found else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoPictureSent from error
    if not data:
        raise NoPictureSent
    return data
