"""A real SillyTavern server, asked as its own page asks it.

Its page draws pictures by calls to its server, which calls the house. What its page makes of an
answer (`generateAutoImage` in its Stable Diffusion extension) is one line: the first picture, or
the text.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from config.launch.child_processes import free_port
from tests.clients import calls, install

SERVER = install.NODE / "node_modules" / "sillytavern" / "server.js"
DATA = install.PLACE / "sillytavern"  # kept: it holds its page's scripts, built at the first start
DEFAULTS = {  # of its page
    "sampler_name": "DDIM",
    "scheduler": "automatic",
    "steps": 20,
    "cfg_scale": 7,
    "width": 512,
    "height": 512,
    "restore_faces": False,
    "enable_hr": False,
    "hr_upscaler": "Latent",
    "hr_scale": 1.0,
    "hr_additional_modules": [],
    "denoising_strength": 0.7,
    "hr_second_pass_steps": 0,
    "override_settings": {"CLIP_stop_at_last_layers": 1},
    "override_settings_restore_afterwards": True,
    "clip_skip": 1,
    "save_images": True,
    "send_images": True,
    "do_not_save_grid": False,
    "do_not_save_samples": False,
}


@dataclass(frozen=True, slots=True)
class SillyTavern:
    """What its page does, with a key of the house as the password."""

    page: httpx.Client
    house: str

    def ask(self, call: str, *, key: str, **said: Any) -> httpx.Response:
        """`ping`, `models`, `samplers`, `generate`, …"""
        calls.count("SillyTavern")
        body = {"url": self.house, "auth": f"proofsheet:{key}"} | said
        return self.page.post(f"/api/sd/{call}", json=body)

    def generate(self, prompt: str, *, key: str, **said: Any) -> httpx.Response:
        """A picture by the settings that its page begins with."""
        return self.ask("generate", key=key, prompt=prompt, negative_prompt="", **DEFAULTS | said)


@contextmanager
def running(house: str) -> Iterator[SillyTavern]:
    """Until it is not needed any more. The first start builds its page, in half a minute."""
    DATA.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command: list[str | Path] = [
        install.node(), SERVER, "--configPath", DATA / "config.yaml", "--dataRoot", DATA / "data",
        "--port", str(port), "--listen", "false", "--browserLaunchEnabled", "false",
    ]  # fmt: skip
    with open(DATA / "log", "wb") as log:
        server = subprocess.Popen(
            command,
            # without git on its path: it would ask for the revision of the folder that it lies in
            env={"PATH": str(install.node().parent), "HOME": str(DATA)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300) as page:
            page.headers["X-CSRF-Token"] = _token(server, page)
            yield SillyTavern(page, house)
    finally:
        server.terminate()
        server.wait(timeout=300)


def _token(server: subprocess.Popen[bytes], page: httpx.Client) -> str:
    """Once it answers; its page's requests carry it."""
    while server.poll() is None:
        with suppress(httpx.ConnectError):
            return str(page.get("/csrf-token").json()["token"])
        time.sleep(0.2)
    raise AssertionError("SillyTavern did not start: " + (DATA / "log").read_text()[-2000:])
