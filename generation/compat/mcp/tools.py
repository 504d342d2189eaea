"""The five tools. Each translates, and calls what our own API calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.utils import timezone
from mcp_types import CallToolResult, Tool, ToolAnnotations

from adapters.access import visibility
from config.core import database_connections
from config.core.errors import ProofsheetError
from generation.compat import waiting
from generation.compat.mcp import tool_answers
from generation.compat.mcp.mcp_caller import McpCaller
from generation.compat.mcp.tool_arguments import (
    EditImage,
    GenerateImage,
    GetGeneration,
    ListModels,
    ToolArguments,
    VerifyPicture,
    picture_bytes,
)
from generation.gallery import own_images
from generation.gallery.file_views import picture
from generation.models import GenerationRequest
from generation.requests import submitting
from generation.studio import own_requests
from generation.studio.generation_serializers import answer
from generation.studio.model_serializers import ModelSerializer
from generation.studio.parameter_serializers import parameters_of
from generation.studio.stream_limits import OpenStreams
from provenance.verify import examination, submitted_files

LOOK_S, PATIENCE_S = 0.5, 240.0  # then the model is told to ask again
WAITS_MAX = 8  # of an account
Tell = Callable[[str], Awaitable[None]]
_seats = OpenStreams("mcp", WAITS_MAX)


@dataclass(frozen=True, slots=True)
class PictureTool:
    """`act` gets the arguments, the caller, and how to tell of progress."""

    description: str
    arguments: type[ToolArguments]
    key_scope: str
    act: Callable[[Any, McpCaller, Tell], Awaitable[CallToolResult]]
    only_reads: bool = False

    def described(self, name: str) -> Tool:
        """As a client lists it."""
        hints = ToolAnnotations(
            read_only_hint=self.only_reads, destructive_hint=False, open_world_hint=False
        )
        return Tool(
            name=name,
            description=self.description,
            input_schema=self.arguments.model_json_schema(),
            annotations=hints,
        )


async def generate_image(said: GenerateImage, caller: McpCaller, tell: Tell) -> CallToolResult:
    """Submits and waits."""
    asked = await _aside(_submit, said.parameters(), {}, caller)
    return await _ended(asked, caller, tell)


async def edit_image(said: EditImage, caller: McpCaller, tell: Tell) -> CallToolResult:
    """Submits with a picture to start from, and waits."""
    parameters, uploads = said.parameters()
    return await _ended(await _aside(_submit, parameters, uploads, caller), caller, tell)


async def get_generation(said: GetGeneration, caller: McpCaller, tell: Tell) -> CallToolResult:
    """Where it stands; does not wait."""
    told: CallToolResult = await _aside(_told, said.id, caller)
    return told


async def list_models(said: ListModels, caller: McpCaller, tell: Tell) -> CallToolResult:
    """With their sizes."""
    models = await _aside(_models)
    text = "; ".join(
        f"{model['slug']} ({', '.join('{width}x{height}'.format(**s) for s in model['sizes'])})"
        for model in models
    )
    return tool_answers.of_value(text, {"models": models})


async def verify_picture(said: VerifyPicture, caller: McpCaller, tell: Tell) -> CallToolResult:
    """The five verdicts of the verify page; nothing sent is kept."""
    report = await _aside(_verified, picture_bytes(said.image), caller.request)
    marks = ("manifest", "signer", "log", "watermark", "fingerprint")
    text = " ".join([report["headline"], *(report[mark]["sentence"] for mark in marks)])
    return tool_answers.of_value(text, report)


TOOLS = {
    "generate_image": PictureTool(
        "Make pictures from a description. Every picture is screened and marked as generated. A "
        "refusal is final for this request; pass its reasons and its appeal on to the person.",
        GenerateImage,
        "generate",
        generate_image,
    ),
    "edit_image": PictureTool(
        "Make a picture anew, starting from one that is given. Screened and marked likewise.",
        EditImage,
        "generate",
        edit_image,
    ),
    "get_generation": PictureTool(
        "See where an earlier request stands, such as one that is held for a person's decision.",
        GetGeneration,
        "read",
        get_generation,
        only_reads=True,
    ),
    "list_models": PictureTool(
        "List the models and the sizes that they make.", ListModels, "read", list_models, True
    ),
    "verify_picture": PictureTool(
        "Tell whether a picture was made here, by its credentials, watermark and log entry.",
        VerifyPicture,
        "verify",
        verify_picture,
        only_reads=True,
    ),
}


async def _ended(asked: GenerationRequest, caller: McpCaller, tell: Tell) -> CallToolResult:
    """The answer once it has ended, is held for a person, or took too long to wait for; at once
    where the account waits for as many already as it may."""
    seat = await _seats.take(caller.user.pk)
    try:
        if seat is not None:
            await _follow(asked, caller, tell)
    finally:
        if seat is not None:
            seat.give_back()
    told: CallToolResult = await _aside(_told, asked.id, caller)
    return told


async def _follow(asked: GenerationRequest, caller: McpCaller, tell: Tell) -> None:
    clock, told = asyncio.get_running_loop().time, ""
    ends_at = clock() + PATIENCE_S
    while asked.is_active and not asked.is_held and clock() < ends_at:
        await asyncio.sleep(LOOK_S)
        asked = await _aside(_look, asked.id, caller)
        if asked.status != told:
            told = asked.status
            await tell(told)


def _look(request_id: UUID, caller: McpCaller) -> GenerationRequest:
    """Raises KeyEnded."""
    waiting.require_good(caller.key)
    return own_requests.find_request(request_id, by=caller.user)


async def _aside(act: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """In a thread; between two looks no database connection is held."""

    acted = database_connections.given_back(act)
    return await sync_to_async(acted, thread_sensitive=False)(*args, **named)


def _submit(
    parameters: dict[str, Any], uploads: dict[str, Any], caller: McpCaller
) -> GenerationRequest:
    wanted = replace(parameters_of(parameters), **uploads)
    return submitting.submit(wanted, by=caller.acting(), at=timezone.now()).request


def _told(request_id: UUID, caller: McpCaller) -> CallToolResult:
    asked = own_requests.find_request(request_id, by=caller.user)
    raw: Any = answer(asked, caller.request)  # type: ignore[arg-type] # it builds addresses alone
    previews = {
        image["id"]: _preview(image["id"], caller) for image in raw["images"] if image["file_url"]
    }
    return tool_answers.of_generation(raw, previews)


def _preview(image_id: str, caller: McpCaller) -> bytes:
    """A signed copy with the watermark; nothing where the person may not see it here."""
    try:
        found = own_images.find_released_image(UUID(image_id), by=caller.user)
    except ProofsheetError:
        return b""
    made = picture(found, mime=tool_answers.PREVIEW_MIME)
    return made.content if made["Content-Type"] == tool_answers.PREVIEW_MIME else b""


def _models() -> list[dict[str, Any]]:
    rows: Any = ModelSerializer(visibility.active_models(), many=True).data
    names = ("slug", "name", "description", "is_default", "sizes", "licence")
    return [{name: row[name] for name in names} for row in rows]


def _verified(data: bytes, request: HttpRequest) -> dict[str, Any]:
    submitted_files.throttle(request)
    return examination.check(data, at=timezone.now()).as_json()
