"""Milliseconds of every stage of an image's way, and from the HTTP request to the released image.

`make bench-pipeline` runs the house that `make run` runs (its servers, web process, workers) in a
state folder of its own, asks for images one after the other over the API, and reads the times that
the workers wrote down. One image is on its way at a time, so the end-to-end time holds no waiting
for others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.bench.report import FOLDER, ROOT, Row, publish

STAGES = {
    "screen_prompt_ms": "screen_prompt",
    "denoise_ms": "denoise",
    "decode_ms": "decode",
    "watermark_ms": "watermark",
    "screen_image_ms": "screen_image",
    "sign_ms": "sign",
    "store_ms": "store",
    "log_ms": "log",
}
MARKING = ("watermark_ms", "sign_ms", "log_ms")
MARKING_MUST_MS = 50.0
WARM_UP = 3
THINGS = ("apple", "umbrella", "cat face", "rocket", "tulip", "snowman", "guitar", "mushroom")
COLOURS = ("red", "blue", "green", "yellow", "purple")
TEXT = """# bench-pipeline

{images} images by the starter model at {side}×{side} pixels and {steps} steps, one after the other,
on the house that `make run` starts: the API takes the request, the CPU worker screens the prompt,
the render worker makes, marks, screens, signs, logs and stores the image.

The stages are timed by the worker itself and stand in the request's row. `marking` is watermark,
signature and log entry together; it may cost 50 ms at most. `end_to_end` is the client's time from
sending the request until an answer says that the image is released; it asks every {poll} ms.
`end_to_end` less the stages is the broker, the claim and that asking. Each prompt is new, so no
screening comes from the cache. The first {warm_up} images load the models and are not counted. An
image that the screening holds for a reviewer is counted as `held`, its times are not.

`value` is p50 or p95, as the name says; `low` and `high` are the fastest and the slowest image.
"""
POLL_S = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--print", action="store_true", help="print the table, write no files")
    options = parser.parse_args()
    with house() as (base, key):
        client = Client(base, key)
        for number in range(WARM_UP):
            client.make(f"warm-up {number}")
        made = [client.make(prompt_of(number)) for number in range(options.images)]
    measured = [image for image in made if image["images"][0]["status"] == "released"]
    rows = [*rows_of(measured), Row("held", len(made) - len(measured), f"of {len(made)} images")]
    if options.print:
        from tests.bench.report import print_table

        print_table(rows)
        return 0
    publish("pipeline", rows)
    one = measured[0]
    text = TEXT.format(
        images=len(made), side=one["width"], steps=one["steps"],
        poll=round(POLL_S * 1000), warm_up=WARM_UP,
    )  # fmt: skip
    (FOLDER / "pipeline.md").write_text(text)
    return 0


def prompt_of(number: int) -> str:
    thing, colour = THINGS[number % len(THINGS)], COLOURS[number // len(THINGS) % len(COLOURS)]
    return f"a {colour} {thing}, picture {number}"


class Client:
    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base, key

    def make(self, prompt: str) -> dict[str, Any]:
        """Ask for an image, wait until it is released or held; the answer with `end_to_end_ms`."""
        started = time.perf_counter()
        answer = self._call("POST", "/api/v1/generations/", {"prompt": prompt, "seed": 1})
        while answer["status"] in {"submitted", "queued", "running"}:
            time.sleep(POLL_S)
            answer = self._call("GET", f"/api/v1/generations/{answer['id']}/")
        took = (time.perf_counter() - started) * 1000
        states = [image["status"] for image in answer["images"]]
        if states not in (["released"], ["held"]):
            sys.exit(f"“{prompt}” was not made: {answer['status']} {states} {answer['code']}")
        return answer | {"end_to_end_ms": took}

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._base + path, data, headers, method=method), timeout=60) as said:
            answer: dict[str, Any] = json.loads(said.read())
        return answer


def rows_of(measured: list[dict[str, Any]]) -> list[Row]:
    series = {
        name: [image["timings"].get(key, 0.0) for image in measured] for key, name in STAGES.items()
    }
    series["marking"] = [sum(image["timings"][key] for key in MARKING) for image in measured]
    series["end_to_end"] = [image["end_to_end_ms"] for image in measured]
    return [row for name, values in series.items() for row in rows_of_stage(name, values)]


def rows_of_stage(name: str, values: list[float]) -> list[Row]:
    low, high = round(min(values), 2), round(max(values), 2)
    p95 = statistics.quantiles(values, n=20, method="inclusive")[-1]
    must = MARKING_MUST_MS if name == "marking" else None
    return [
        Row(f"{name}_ms_p50", round(statistics.median(values), 2), "ms", low, high, must=must),
        Row(f"{name}_ms_p95", round(p95, 2), "ms", low, high, must=must),
    ]


@contextmanager
def house(outside: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
    """The address of a running house and alice's API key; `outside` is the environment that it
    starts in."""
    (ROOT / "var").mkdir(exist_ok=True)
    state = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "var"))
    port = free_port()
    environment = dict(outside) | {
        "PROOFSHEET_STATE_DIR": str(state),
        "API_RATE_USER": "1000000/min",  # it asks for the state of its one request all the time
        "QUOTA_DEVICE_SECONDS_A_DAY": "1000000",
        "QUOTA_IN_FLIGHT": "1000",
    }
    log = state / "house.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.launch.supervisor", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/", process, log)
        yield f"http://127.0.0.1:{port}", key_of("alice", environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        shutil.rmtree(state, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"The house did not start: {log.read_text()[-2000:]}")
        try:
            urlopen(url, timeout=5).read()
        except (URLError, OSError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"The house did not answer within 180 s: {log.read_text()[-2000:]}")


def key_of(name: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "make_key", name],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
