"""Speaks MCP over streamable HTTP (revisions 2026-07-28 and before), without sessions.

Everything belongs to one request and ends with it: granian is run without ASGI's lifespan, and a
process that keeps no session can be any of several. Only the first call of a process imports this
module, as its package takes some seconds and 47 MiB (ADR 112).
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from pydantic import ValidationError
from rest_framework import exceptions

from config.core.errors import ProofsheetError
from generation.compat.mcp import tool_answers
from generation.compat.mcp.mcp_caller import SCOPE_KEY, McpCaller
from generation.compat.mcp.tools import TOOLS

logging.getLogger("mcp").setLevel(logging.WARNING)  # it tells of each request as of a start

INSTRUCTIONS = (
    "Makes pictures that are screened and carry proof of their origin. When something is refused, "
    "tell the person why and give them the address of the appeal, word for word."
)
_MOST = 2**31  # the door has bounded the body by the account's own bound
_LISTED = [tool.described(name) for name, tool in TOOLS.items()]
_SCHEMAS = {tool.name: tool.input_schema for tool in _LISTED}


async def _list_tools(ctx: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
    return ListToolsResult(tools=_LISTED)


async def _call_tool(ctx: Any, params: CallToolRequestParams) -> CallToolResult:
    caller: McpCaller = ctx.request.scope[SCOPE_KEY]
    if (tool := TOOLS.get(params.name)) is None:
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name[:80]}")
    told = 0

    async def tell(text: str) -> None:
        nonlocal told
        told += 1
        await ctx.session.report_progress(told, None, text)

    try:
        caller.require(tool.key_scope)
        said = tool.arguments.model_validate(params.arguments or {})
        return await tool.act(said, caller, tell)
    except (ValidationError, exceptions.ValidationError) as error:
        return tool_answers.of_wrong_arguments(error)
    except ProofsheetError as error:
        return tool_answers.of_error(error)


_server: Server[Any] = Server(
    "proofsheet",
    title="Proofsheet",
    version="1",
    instructions=INSTRUCTIONS,
    website_url=settings.PUBLIC_URL,
    get_tool_input_schema=_SCHEMAS.get,
    on_list_tools=_list_tools,
    on_call_tool=_call_tool,
)


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """One request of a caller that the door has let in."""
    manager = StreamableHTTPSessionManager(_server, stateless=True, max_request_body_size=_MOST)
    async with manager.run():
        await manager.handle_request(scope, receive, send)
