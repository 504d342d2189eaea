"""The picture's part of `make bench-api`: OpenAI's call beside our own, and fifty streams at once.

A house as `make run` starts it. The two calls are made in turns, one picture on its way at a time:
ours is sent and its state asked for every 20 ms, as `make bench-pipeline` does; OpenAI's waits in
the house. Both end with the picture's bytes at the client.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Mapping
from statistics import median, quantiles
from typing import Any

import httpx

from tests.bench.bench_pipeline import POLL_S, WARM_UP, house, prompt_of
from tests.bench.report import Row

OVERHEAD_MUST, PAGE_MUST_S = 1.10, 1.0
PAGES = ("/accounts/login/", "/verify/", "/api/v1/models/")
PAUSE_S = 0.2


def rows(outside: Mapping[str, str], *, pictures: int, streams: int) -> list[Row]:
    """Both parts in one house, started in that environment."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # or it has a line for each look
    with house(outside) as (base, key):
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=base, headers=headers, timeout=120) as client:
            for number in range(WARM_UP):
                _by_ours(client, f"warm-up {number}")
                _by_openais(client, f"warmed up {number}")
            ours, openais = [], []
            for number in range(pictures):
                ours.append(_by_ours(client, prompt_of(number)))
                openais.append(_by_openais(client, f"{prompt_of(number)} again"))
        waits = asyncio.run(_beside(base, headers, streams))
    return [*_overhead(ours, openais), *_pages(waits, streams)]


def _by_ours(client: httpx.Client, prompt: str) -> float:
    began = time.perf_counter()
    said = client.post("/api/v1/generations/", json={"prompt": prompt, "seed": 1}).json()
    while said["status"] in {"submitted", "queued", "running"}:
        time.sleep(POLL_S)
        said = client.get(f"/api/v1/generations/{said['id']}/").json()
    [image] = said["images"]
    assert client.get(image["file_url"]).raise_for_status().content.startswith(b"\x89PNG")
    return time.perf_counter() - began


def _by_openais(client: httpx.Client, prompt: str) -> float:
    began = time.perf_counter()
    said = {"prompt": prompt, "seed": 1}
    answer = client.post("/v1/images/generations", json=said).raise_for_status()
    [image] = answer.json()["data"]
    assert base64.b64decode(image["b64_json"]).startswith(b"\x89PNG")
    return time.perf_counter() - began


def _overhead(ours: list[float], openais: list[float]) -> list[Row]:
    ratio = median(openais) / median(ours)
    parts = sorted(theirs / own for own, theirs in zip(ours, openais, strict=True))
    low, high = quantiles(parts, n=10)[0], quantiles(parts, n=10)[-1]
    return [
        Row("openai_over_ours_p50", round(ratio, 3), "x", round(low, 3), round(high, 3),
            must=OVERHEAD_MUST, against=f"{len(ours)} pictures each, in turns"),
        Row("ours_p50", round(median(ours), 3), "s"),
        Row("openai_p50", round(median(openais), 3), "s"),
    ]  # fmt: skip


async def _beside(base: str, headers: dict[str, str], streams: int) -> dict[str, list[float]]:
    """Seconds of each page, opened again and again until the last stream has ended."""
    limits = httpx.Limits(max_connections=streams + 1)
    async with httpx.AsyncClient(
        base_url=base, headers=headers, timeout=600, limits=limits
    ) as client:
        running = [asyncio.create_task(_stream(client, number)) for number in range(streams)]
        waits: dict[str, list[float]] = {page: [] for page in PAGES}
        while not all(task.done() for task in running):
            for page in PAGES:
                began = time.perf_counter()
                (await client.get(page)).raise_for_status()
                waits[page].append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE_S)
        await asyncio.gather(*running)
    return waits


async def _stream(client: httpx.AsyncClient, number: int) -> None:
    said: dict[str, Any] = {"prompt": prompt_of(number), "stream": True, "partial_images": 1}
    async with client.stream("POST", "/v1/images/generations", json=said) as answer:
        answer.raise_for_status()
        told = [line async for line in answer.aiter_lines()]
    assert "event: image_generation.completed" in told, told[-4:]


def _pages(waits: dict[str, list[float]], streams: int) -> list[Row]:
    return [
        Row(f"page_beside_{streams}_streams_s {page}", round(max(took), 3), "s",
            round(median(took), 3), round(max(took), 3), must=PAGE_MUST_S,
            against=f"{len(took)} visits; low is the median")
        for page, took in waits.items()
    ]  # fmt: skip
