"""The protocol's own client in Python."""

import asyncio
import os
from typing import Any

import httpx2
from loop import serve
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


def connected() -> Client:
    headers = {"Authorization": f"Bearer {os.environ['KEY']}"}
    line = httpx2.AsyncClient(headers=headers, timeout=300)
    return Client(streamable_http_client(f"{os.environ['HOUSE']}/mcp", http_client=line))


def tools() -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with connected() as client:
            listed = await client.list_tools()
            return {"tools": {tool.name: tool.input_schema for tool in listed.tools}}

    return asyncio.run(ask())


def call(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with connected() as client:
            made = await client.call_tool(tool, arguments)
            return {
                "is_error": made.is_error,
                "said": made.structured_content,
                "content": [each.model_dump(mode="json") for each in made.content],
                "shown": " ".join(each.text for each in made.content if each.type == "text"),
            }

    return asyncio.run(ask())


def shown(error: Exception) -> dict[str, Any]:
    return {"shown": repr(error)}


serve({"tools": tools, "tool": call}, shown)
