"""The live page's part of `make bench-serving`: from typing to the picture shown.

    python -m tests.bench.bench_serving --only live

A house as `make run` starts it, in a state folder of its own, and headless Chromium on the same
cores. Somebody writes a prompt, waits for its picture, and writes the next one.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.bench.bench_pipeline import house, prompt_of
from tests.bench.report import Row

WARM_UP = 5
# Writes a prompt into the page as typing does; resolves when its picture is painted.
TYPE = """prompt => new Promise((resolve, reject) => {
  const field = document.getElementById("id_prompt");
  const picture = document.getElementById("live-picture");
  const began = performance.now();
  const late = setTimeout(() => reject(document.getElementById("live-status").textContent), 15000);
  picture.addEventListener("load", () => requestAnimationFrame(() => {
    clearTimeout(late);
    resolve([performance.now() - began, performance.now() - Number(picture.dataset.askedAt)]);
  }), { once: true });
  field.value = prompt;
  field.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def rows(count: int) -> list[Row]:
    with house() as (base, _), sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        if path is None:
            sys.exit("The live page is measured in Chromium: `apt-get install chromium`.")
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page(base_url=base)
        _sign_in(page)
        page.goto("/studio/live/")
        took = [_type(page, f"{prompt_of(number)} drawn live") for number in range(WARM_UP + count)]
        browser.close()
    typed, asked = zip(*took[WARM_UP:], strict=True)
    return [
        _row("live_request_to_picture_ms_p50", asked, median(asked)),
        _row("live_request_to_picture_ms_p95", asked, _p95(asked), must=500, aim=250),
        _row("live_typing_to_picture_ms_p95", typed, _p95(typed)),
    ]


def _sign_in(page: Page) -> None:
    password = json.loads((_state() / "keys" / "demo_passwords.json").read_text())["alice"]
    page.goto("/accounts/login/")
    page.get_by_label("Name or email").fill("alice")
    page.get_by_label("Password").fill(password)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/studio/")


def _state() -> Path:
    """The newest state folder of a house under measurement."""
    from tests.bench.report import ROOT

    return max((ROOT / "var").glob("bench-*"), key=lambda path: path.stat().st_mtime)


def _type(page: Page, prompt: str) -> tuple[float, float]:
    typed, asked = page.evaluate(TYPE, prompt)
    return float(typed), float(asked)


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def _row(name: str, values: Sequence[float], value: float, **targets: Any) -> Row:
    return Row(
        name,
        round(value, 1),
        "ms",
        round(min(values), 1),
        round(max(values), 1),
        **targets,
        against=f"{len(values)} prompts one after the other, the browser on the same cores",
    )
